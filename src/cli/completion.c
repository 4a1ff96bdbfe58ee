/* SPDX-License-Identifier: MIT */
/*
 * `sesame completion SHELL`: a script by which the shell completes commands,
 * options, files and the words of `explain`. All comes from the tables that
 * the commands read, so it fits the program that printed it.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/request.h"
#include "cli/term.h"
#include "why/manual.h"
#include "why/stack.h"

static const struct {
	const char *name, *what;
} commands[] = {
#define COMMAND(symbol, arguments, what) {#symbol, what},
#include "cli/commands.def"
#undef COMMAND
	{"help", "tell about a command"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *const shells[] = {"bash", "zsh", "fish"};

/* ---- Words ---- */

/* Print @text; before each of @special, and what @with says instead of it. */
static void put_quoted(const char *text, const char *special, const char *quote)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs(quote, stdout);
		else if (strchr(special, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

/* Call @put with each word that `explain` knows, and what it is. */
static void each_word(void (*put)(const char *word, const char *what))
{
	for (int c = 0; c < WHY_N_CAUSES; c++)
		put(why_cause(c)->id, why_cause(c)->sentence);
	for (size_t i = 0; why_status(i); i++)
		put(why_status(i)->word, why_status(i)->name);
	for (size_t i = 0; why_topic(i); i++)
		put(why_topic(i)->id, why_topic(i)->question);
}

static void each_stack(void (*put)(const char *word, const char *what))
{
	for (int s = 1; s < WHY_N_STACKS; s++)
		put(why_stack(s)->id, why_stack(s)->name);
}

static void put_word(const char *word, const char *what)
{
	printf(" %s", word);
}

static bool takes_file(const struct option_row *row)
{
	return row->argument && strcmp(row->argument, "FILE") == 0;
}

static bool takes_stack(const struct option_row *row)
{
	return strcmp(row->command, "explain") == 0 && row->argument;
}

/* "nginx|apache": one of these words. */
static bool takes_word(const struct option_row *row)
{
	return row->argument && strchr(row->argument, '|');
}

/* The words of such an argument, with blanks between them. */
static void put_words(const struct option_row *row)
{
	for (const char *c = row->argument; *c; c++)
		putchar(*c == '|' ? ' ' : *c);
}

static bool may_repeat(const struct option_row *row)
{
	return strstr(row->text, "repeated") != NULL;
}

static const struct option_row *next_option(const char *command, size_t *i)
{
	const struct option_row *row;

	while ((row = option_row((*i)++)))
		if (row->name && strcmp(row->command, command) == 0)
			return row;
	return NULL;
}

/* ---- bash ---- */

static void bash_options(const char *command)
{
	const struct option_row *row;

	printf("\t%s) words='", command);
	for (size_t i = 0; (row = next_option(command, &i));) {
		if (row->letter)
			printf("-%c ", row->letter);
		printf("--%s ", row->name);
	}
	printf("' ;;\n");
}

static void bash_pattern(const struct option_row *row)
{
	printf("%s:--%s", row->command, row->name);
	if (row->letter)
		printf("|%s:-%c", row->command, row->letter);
}

/* The options whose value is of one kind, as patterns of a case. */
static void bash_values(bool (*is_kind)(const struct option_row *row),
			const char *then)
{
	const struct option_row *row;
	const char *bar = "";

	printf("\t");
	for (size_t i = 0; (row = option_row(i)); i++) {
		if (!row->name || !row->argument || row->argument[0] == '[' ||
		    (is_kind && !is_kind(row)))
			continue;
		fputs(bar, stdout);
		bash_pattern(row);
		bar = "|";
	}
	printf(")\n\t\t%s\n\t\treturn ;;\n", then);
}

static void bash_choices(void)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(i)); i++) {
		if (!takes_word(row))
			continue;
		putchar('\t');
		bash_pattern(row);
		printf(")\n\t\t_sesame_words '");
		put_words(row);
		printf("' \"$cur\"\n\t\treturn ;;\n");
	}
}

static void print_bash(void)
{
	fputs("# bash completion for sesame; made by `sesame completion bash`\n"
	      "_sesame_files()\n"
	      "{\n"
	      "\tcompopt -o filenames 2>/dev/null\n"
	      "\tmapfile -t COMPREPLY < <(compgen -f -- \"$1\")\n"
	      "}\n\n"
	      "_sesame_words()\n"
	      "{\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$2\")\n"
	      "}\n\n"
	      "_sesame()\n"
	      "{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} command= words= i\n"
	      "\tlocal prev=${COMP_WORDS[COMP_CWORD - 1]}\n\n"
	      "\tCOMPREPLY=()\n"
	      "\t# --name=value comes as three words\n"
	      "\tif [[ $cur == = ]]; then\n"
	      "\t\tcur=\n"
	      "\telif [[ $prev == = ]] && ((COMP_CWORD > 2)); then\n"
	      "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	      "\tfi\n"
	      "\tif ((COMP_CWORD > 1)); then\n"
	      "\t\tcommand=${COMP_WORDS[1]}\n"
	      "\tfi\n\n"
	      "\tcase $command:$prev in\n",
	      stdout);
	bash_values(takes_file, "_sesame_files \"$cur\"");
	printf("\texplain:--stack)\n\t\t_sesame_words 'all");
	each_stack(put_word);
	printf("' \"$cur\"\n\t\treturn ;;\n");
	bash_choices();
	bash_values(NULL, ": # a value that only you know");
	printf("\tesac\n\n\tcase $command in\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		bash_options(commands[i].name);
	printf("\t'') words='--help --version' ;;\n\tesac\n"
	       "\tif [[ $cur == -* ]]; then\n"
	       "\t\t_sesame_words \"$words\" \"$cur\"\n"
	       "\t\treturn\n\tfi\n\n"
	       "\tcase $command in\n\t'' | help) words='");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("%s%s", i ? " " : "", commands[i].name);
	printf("' ;;\n\texplain) words='");
	each_word(put_word);
	each_stack(put_word);
	fputs("' ;;\n"
	      "\tcompletion) words='bash zsh fish' ;;\n"
	      "\tcheck | lint)\n\t\t_sesame_files \"$cur\"\n\t\treturn ;;\n"
	      "\t*) words= ;;\n"
	      "\tesac\n"
	      "\t_sesame_words \"$words\" \"$cur\"\n"
	      "}\n\n"
	      "complete -F _sesame sesame\n",
	      stdout);
}

/* ---- zsh ---- */

static void zsh_text(const char *text)
{
	put_quoted(text, "[]:\\", "'\\''");
}

static void zsh_word(const char *word, const char *what)
{
	printf("\t\t'%s:", word);
	put_quoted(what, "\\", "'\\''");
	printf("'\n");
}

/* ":what is asked for:how to complete it" */
static void zsh_value(const struct option_row *row)
{
	if (!row->argument)
		return;
	fputs(row->argument[0] == '[' ? "::" : ":", stdout);
	zsh_text(row->argument);
	if (takes_word(row)) {
		printf(":(");
		put_words(row);
		putchar(')');
		return;
	}
	fputs(takes_file(row)	 ? ":_files"
	      : takes_stack(row) ? ":_sesame_stacks"
				 : ": ",
	      stdout);
}

static void zsh_option(const struct option_row *row)
{
	const char *equals = row->argument ? "=" : "",
		   *plus = equals[0] ? "+" : "";

	printf("\t\t\t");
	if (row->letter && may_repeat(row))
		printf("'*'{-%c%s,--%s%s}", row->letter, plus, row->name,
		       equals);
	else if (row->letter)
		printf("'(-%c --%s)'{-%c%s,--%s%s}", row->letter, row->name,
		       row->letter, plus, row->name, equals);
	else
		printf("%s--%s%s", may_repeat(row) ? "'*'" : "", row->name,
		       equals);
	printf("'[");
	zsh_text(row->text);
	putchar(']');
	zsh_value(row);
	printf("' \\\n");
}

/* What follows the options of @command. */
static const char *zsh_words(const char *command)
{
	static const char *const words[][2] = {
		{"doctor", "'1:URL: '"},
		{"connect", "'1:URL: '"},
		{"why", "'1:reference: '"},
		{"check", "'1:configuration:_files'"},
		{"lint", "'*:configuration:_files'"},
		{"explain", "'1:cause, status, question or stack:"
			    "_sesame_explained'"},
		{"completion", "'1:shell:(bash zsh fish)'"},
		{"help", "'1:command:_sesame_commands'"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], command) == 0)
			return words[i][1];
	return "";
}

static void zsh_command(const char *command)
{
	const struct option_row *row;

	printf("\t%s)\n\t\t_arguments -s \\\n", command);
	for (size_t i = 0; (row = next_option(command, &i));)
		zsh_option(row);
	printf("\t\t\t%s ;;\n", zsh_words(command));
}

static void print_zsh(void)
{
	printf("#compdef sesame\n"
	       "# zsh completion for sesame; made by `sesame completion zsh`\n"
	       "_sesame_commands()\n{\n\tlocal -a words=(\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		zsh_word(commands[i].name, commands[i].what);
	printf("\t)\n\t_describe -t commands command words\n}\n\n"
	       "_sesame_stacks()\n{\n\tlocal -a words=(\n"
	       "\t\t'all:every stack'\n");
	each_stack(zsh_word);
	printf("\t)\n\t_describe -t stacks stack words\n}\n\n"
	       "_sesame_explained()\n{\n\tlocal -a words=(\n");
	each_word(zsh_word);
	each_stack(zsh_word);
	printf("\t)\n\t_describe -t words word words\n}\n\n"
	       "_sesame()\n{\n"
	       "\tlocal curcontext=$curcontext state line\n"
	       "\t_arguments -C '(-)'{-h,--help}'[tell about sesame]' \\\n"
	       "\t\t'(-)'{-V,--version}'[print the version]' \\\n"
	       "\t\t'1:command:_sesame_commands' '*::argument:->rest'\n"
	       "\t[[ $state == rest ]] || return\n"
	       "\tcase $words[1] in\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		zsh_command(commands[i].name);
	printf("\tesac\n}\n\n"
	       "if [[ $funcstack[1] == _sesame ]]; then\n"
	       "\t_sesame \"$@\"\nelse\n\tcompdef _sesame sesame\nfi\n");
}

/* ---- fish ---- */

static void fish_line(const char *condition, const char *words, const char *what)
{
	printf("complete -c sesame -n '%s' %s -d '", condition, words);
	put_quoted(what, "\\", "\\'");
	printf("'\n");
}

static void fish_option(const struct option_row *row)
{
	char condition[80], words[160];
	int n = 0;

	snprintf(condition, sizeof(condition), "__fish_seen_subcommand_from %s",
		 row->command);
	if (row->letter)
		n = snprintf(words, sizeof(words), "-s %c ", row->letter);
	n += snprintf(words + n, sizeof(words) - (size_t)n, "-l %s", row->name);
	if (takes_word(row))
		n += snprintf(words + n, sizeof(words) - (size_t)n,
			      " -x -a \"(string split '|' '%s')\"",
			      row->argument);
	else if (row->argument && row->argument[0] != '[')
		snprintf(words + n, sizeof(words) - (size_t)n, "%s",
			 takes_file(row)    ? " -r -F"
			 : takes_stack(row) ? " -x -a '(__sesame_stacks)'"
					    : " -x");
	fish_line(condition, words, row->text);
}

static void fish_word(const char *word, const char *what)
{
	printf("\tprintf '%%s\\t%%s\\n' %s '", word);
	put_quoted(what, "\\", "\\'");
	printf("'\n");
}

static void print_fish(void)
{
	const struct option_row *row;
	char words[80];

	printf("# fish completion for sesame; made by `sesame completion "
	       "fish`\n"
	       "function __sesame_stacks\n"
	       "\tprintf '%%s\\t%%s\\n' all 'every stack'\n");
	each_stack(fish_word);
	printf("end\n\nfunction __sesame_explained\n");
	each_word(fish_word);
	each_stack(fish_word);
	printf("end\n\ncomplete -c sesame -f\n");
	fish_line("__fish_use_subcommand", "-s h -l help", "tell about sesame");
	fish_line("__fish_use_subcommand", "-s V -l version",
		  "print the version");
	for (size_t i = 0; i < N_COMMANDS; i++) {
		snprintf(words, sizeof(words), "-a %s", commands[i].name);
		fish_line("__fish_use_subcommand", words, commands[i].what);
		snprintf(words, sizeof(words), "-a %s", commands[i].name);
		fish_line("__fish_seen_subcommand_from help", words,
			  commands[i].what);
	}
	for (size_t i = 0; (row = option_row(i)); i++)
		if (row->name)
			fish_option(row);
	printf("complete -c sesame -n '__fish_seen_subcommand_from explain' "
	       "-a '(__sesame_explained)'\n"
	       "complete -c sesame -n '__fish_seen_subcommand_from completion' "
	       "-a 'bash zsh fish'\n"
	       "complete -c sesame -n '__fish_seen_subcommand_from check "
	       "lint' -F\n");
}

/* ---- The command ---- */

static void print_help(void)
{
	puts("Usage: sesame completion bash|zsh|fish\n\n"
	     "Print a script that makes the shell complete commands, options, "
	     "files and what\n`sesame explain` knows. Installed packages bring "
	     "it along.\n\n"
	     "Options");
	option_list(stdout, "completion");
	puts("\nExamples\n"
	     "  source <(sesame completion bash)      in ~/.bashrc\n"
	     "  source <(sesame completion zsh)       in ~/.zshrc, behind "
	     "compinit\n"
	     "  sesame completion fish > "
	     "~/.config/fish/completions/sesame.fish\n\n"
	     "Exit status: 0 printed, 2 wrong usage.");
}

static int complain(const char *shell)
{
	const char *near = text_suggest(shell, shells, 3);
	char shown[80];

	if (*shell)
		fprintf(stderr,
			"sesame completion: no script for \"%s\"%s%s%s\n",
			bytes_printable(bytes_of_str(shell), shown,
					sizeof(shown)),
			near ? "; did you mean " : "", near ? near : "",
			near ? "?" : "");
	else
		fputs("sesame completion: for which shell?\n", stderr);
	fputs("For example:\n"
	      "  sesame completion bash\n"
	      "  sesame completion zsh\n"
	      "`sesame completion --help` tells more.\n",
	      stderr);
	return EXIT_USAGE;
}

int cmd_completion(int argc, char **argv)
{
	struct option_reader r = {.command = "completion", .next = argv + 1};
	const char *shell = "";
	int more;

	while ((more = option_next(&r)) > 0) {
		if (r.name) {
			print_help();
			return EXIT_OK;
		}
		if (*shell)
			return cli_wrong("completion",
					 "one shell, please; what is '%s'?",
					 r.value);
		shell = r.value;
	}
	if (more < 0)
		return EXIT_USAGE;
	if (strcmp(shell, "bash") == 0)
		print_bash();
	else if (strcmp(shell, "zsh") == 0)
		print_zsh();
	else if (strcmp(shell, "fish") == 0)
		print_fish();
	else
		return complain(shell);
	return EXIT_OK;
}
