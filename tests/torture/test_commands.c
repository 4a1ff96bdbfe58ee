/* SPDX-License-Identifier: MIT */
/*
 * The program's commands, with one call of theirs going wrong. What they print
 * then is what they print otherwise, or they say in words why it is not: never
 * less in silence, for "no fault was found" must not mean "there was no memory
 * to look".
 */
#include "rig.h"

#include "folder.h"
#include "test.h"

#include <ctype.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

int sesame_main(int argc, char **argv); /* main() of src/cli/main.c */

struct command {
	int status;	  /* as it ends when nothing goes wrong */
	const char *says; /* then; among other words */
	const char *words[16];
};

static int play(void *arg)
{
	const struct command *command = arg;
	char *words[17];
	int n = 0;

	rig_spare();
	if (chdir(folder) != 0)
		return 99;
	setenv("NO_COLOR", "1", 1);
	redirect(STDOUT_FILENO, "out", O_TRUNC);
	redirect(STDERR_FILENO, "err", O_TRUNC);
	words[n++] = (char *)"sesame";
	for (int i = 0; i < 16 && command->words[i]; i++)
		words[n++] = (char *)command->words[i];
	words[n] = NULL;
	rig_strike();
	return sesame_main(n, words);
}

/* Every refusal of a gateway has another one. */
static void hide_references(char *text)
{
	static const char sample[] = "7K2M-Q4XD";
	size_t run = 0;

	for (; *text; text++) {
		bool fits = sample[run] == '-' ? *text == '-'
					       : isupper((uint8_t)*text) ||
							 isdigit((uint8_t)*text);

		run = fits ? run + 1 : 0;
		if (!sample[run]) {
			memcpy(text + 1 - run, sample, run);
			run = 0;
		}
	}
}

/* "(89 %)": a handshake that failed is one witness less. */
static void hide_percents(char *text)
{
	while ((text = strchr(text, '('))) {
		size_t n = strspn(++text, "0123456789");

		if (n && strncmp(text + n, " %)", 3) == 0)
			memset(text, '9', n);
	}
}

static void read_back(const char *name, char to[PRINTED])
{
	read_into(name, to);
	hide_references(to);
	hide_percents(to);
}

static struct {
	char out[PRINTED], err[PRINTED];
	int status;
} quiet, now; /* without the fault, and with it */

/* Text that was not wrapped is the same text. */
static bool same_words(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, " \n");
		b += strspn(b, " \n");
		if (*a != *b || !*a)
			return *a == *b;
	}
}

/*
 * The advice after a verdict is proven before it is given, and left out where
 * that was not to be had: that alone may happen in silence. What the doctor
 * prints after its verdict has times in it.
 */
static bool same_verdict(void)
{
	static const char *const ends[] = {"\"advice\"", "\nTo let it in",
					   "\nWhat opens it"};
	const char *end = NULL;
	size_t n;

	for (size_t i = 0; !end && i < ARRAY_LEN(ends); i++)
		end = strstr(quiet.out, ends[i]);
	n = end ? (size_t)(end - quiet.out) : sizeof(quiet.out);

	if (now.status != quiet.status)
		return false;
	if (strncmp(now.out, quiet.out, n) == 0)
		return true;
	return same_words(now.out, quiet.out);
}

static int count(const char *text, const char *word)
{
	int n = 0;

	while ((text = strstr(text, word))) {
		text++;
		n++;
	}
	return n;
}

/* Whether what went wrong is among the words, more often than otherwise. */
static bool says_why(void)
{
	static const char *const words[] = {"memory",
					    "Too many open files",
					    "Permission denied",
					    "thread",
					    "descriptor",
					    "nput/output error",
					    "not shown",
					    "perhaps",
					    "reset",
					    "connection refused",
					    "closed without an answer"};
	bool says = false;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		says |= count(now.out, words[i]) > count(quiet.out, words[i]) ||
			count(now.err, words[i]) > count(quiet.err, words[i]);
	return says;
}

/* Else all the rest is compared with nothing. */
static void check_quiet(const struct command *command)
{
	if (!WIFEXITED(rig->status))
		return; /* rig_check_end() says so */
	if (quiet.status != command->status)
		rig_fail("nothing went wrong, and the exit status is %d, not "
			 "%d:\n%.500s",
			 quiet.status, command->status, quiet.err);
	else if (!strstr(quiet.out, command->says) &&
		 !strstr(quiet.err, command->says))
		rig_fail("nothing went wrong, and it does not say \"%s\":\n"
			 "%.500s",
			 command->says, quiet.out);
}

static bool at_place(enum rig_kind kind, long nth, void *arg)
{
	rig_run(kind, nth, play, arg);
	read_back("out", now.out);
	read_back("err", now.err);
	now.status = WEXITSTATUS(rig->status);
	if (nth < 0)
		quiet = now;
	rig_check_end();
	if (nth < 0)
		check_quiet(arg);
	if (!WIFEXITED(rig->status))
		return rig->struck;
	if (now.status > 3)
		rig_fail("exit status %d", now.status);
	else if (!says_why() && !same_verdict()) {
		rig_note("%s", now.out);
		rig_fail("exit status %d, not %d, and no word why:\n%.400s"
			 "\n%.400s",
			 now.status, quiet.status, now.out, now.err);
	}
	return rig->struck;
}

/* Of those who talk to nobody; to somebody; and may say so when he is gone. */
enum { ALONE = 2, TALKING = 5, RESETTABLE = 6 };

static void torture(unsigned n_kinds, int status, const char *says,
		    const char *const *words)
{
	static const enum rig_kind kinds[RESETTABLE] = {RIG_MEMORY, RIG_SYSTEM,
							RIG_SHORT,  RIG_LATER,
							RIG_SIGNAL, RIG_RESET};
	struct command command = {.status = status, .says = says};

	folder_make();
	rig_sample = n_kinds == ALONE ? 48 : 16; /* these take longer */
	for (size_t i = 0; words[i]; i++)
		command.words[i] = words[i];
	for (size_t i = 0; i < n_kinds; i++)
		rig_each(kinds[i], at_place, &command);
}

/* Without a fault it ends with @status, and has said @says. */
#define TORTURE(kinds, status, says, ...) \
	torture(kinds, status, says, (const char *const[]){__VA_ARGS__, NULL})

/* ---- a configuration of the gateway ---- */

static const char good_yaml[] =
	"listen:\n"
	"  - address: 127.0.0.1:8080\n"
	"trusted_proxies: [10.0.0.0/8]\n"
	"journal: {file: journal.db}\n"
	"admin: {address: 127.0.0.1:9464, hosts: [status.example]}\n"
	"log: {file: access.log}\n"
	"routes:\n"
	"  - path: /chat\n"
	"    to: hub\n"
	"    hub: {channels: 10}\n"
	"    allow:\n"
	"      token: {from: ['query:token', 'cookie:auth'], hashes_file: "
	"tokens}\n"
	"  - path: /echo/**\n"
	"    to: echo\n"
	"    allow:\n"
	"      hosts: [app.example, '*.app.example']\n"
	"      origins: ['https://*.app.example', 'http://localhost:3000']\n"
	"      addresses: [127.0.0.0/8, '!127.0.0.9', '::1']\n"
	"      user_agents: ['Mozilla/*']\n"
	"      subprotocols: [chat]\n"
	"      authority: {url: 'http://127.0.0.1:9/?a', headers: [Cookie]}\n"
	"    limits:\n"
	"      {connections: 20, handshakes: 10/minute, message: 64KiB, "
	"messages: 5/second}\n"
	"  - path: /**\n"
	"    to: ['ws://127.0.0.1:9/a', 'ws://127.0.0.1:8/b']\n"
	"    host: app.example\n"
	"    origin: https://app.example\n"
	"    headers: {X-By: sesame}\n"
	"    health: {path: /health}\n"
	"tests:\n"
	"  - url: /echo/x\n"
	"    host: app.example\n"
	"    origin: https://one.app.example\n"
	"    user_agent: Mozilla/5.0\n"
	"    subprotocol: chat\n"
	"    headers: {X-A: b}\n"
	"    expect: admit\n"
	"  - url: /echo/x\n"
	"    host: app.example\n"
	"    origin: https://evil.test\n"
	"    expect: access.origin\n";

static const char tokens[] = "alice:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8"
			     "fac4f93af71db186d6e90\n";

static const char bad_yaml[] = "listen:\n"
			       "  - address: 127.0.0.1:80800\n"
			       "rootes: 3\n"
			       "routes:\n"
			       "  - path: chat\n"
			       "    to: ekko\n";

TEST("`check` says what a configuration comes to, or why it cannot tell")
{
	write_file("good.yaml", good_yaml);
	write_file("tokens", tokens);
	TORTURE(ALONE, 0, "good.yaml", "check", "good.yaml");
	TORTURE(ALONE, 1, "REFUSE  host", "check", "good.yaml", "--url",
		"ws://h/echo/1", "--origin", "https://one.app.example");
	TORTURE(ALONE, 1, "access.origin", "check", "good.yaml", "--url",
		"/echo/1", "--origin", "https://evil.test", "--json");
}

TEST("`check` finds every fault of a file, or says why it cannot")
{
	write_file("bad.yaml", bad_yaml);
	TORTURE(ALONE, 2, "80800", "check", "bad.yaml", "--json");
}
/* ---- configurations of others ---- */

TEST("`lint` finds what is wrong with a server's configuration, or says why "
     "it cannot")
{
	write_file("nginx.conf", "events {}\n"
				 "http {\n"
				 "  map $http_origin $ok { default 0; "
				 "~^https://app\\.example$ 1; }\n"
				 "  include part.conf;\n"
				 "}\n");
	write_file(
		"part.conf",
		"server {\n"
		"  listen 80; server_name app.example;\n"
		"  location /ws { if ($ok = 0) { return 403; }\n"
		"    proxy_pass http://127.0.0.1:9;\n"
		"    proxy_set_header Upgrade $http_upgrade; }\n"
		"  location ~ ^/(a|b)+/x { proxy_pass http://127.0.0.1:9; }\n"
		"}\n");
	TORTURE(ALONE, 1, "origin-rule", "lint", "nginx.conf");
	TORTURE(ALONE, 1, "+    proxy_http_version 1.1;", "lint", "--fix",
		"nginx.conf");
	TORTURE(ALONE, 1, "refuses this Origin", "lint", "--request",
		"ws://app.example/ws", "--origin", "https://evil.test",
		"nginx.conf");
	write_file("haproxy.cfg", "frontend f\n"
				  "  bind :80\n"
				  "  acl ws path_beg /ws\n"
				  "  acl o hdr(Origin) -m end .example\n"
				  "  http-request deny if ws !o\n"
				  "  default_backend b\n"
				  "backend b\n"
				  "  timeout server 5s\n"
				  "  http-request del-header Upgrade\n"
				  "  server s 127.0.0.1:9\n");
	TORTURE(ALONE, 1, "upgrade-removed", "lint", "--request", "ws://h/ws",
		"haproxy.cfg");
	write_file("apache.conf", "Listen 80\n"
				  "<VirtualHost *:80>\n"
				  "  ProxyPass /ws http://127.0.0.1:9/\n"
				  "  <Location /ws>\n"
				  "    Require ip 10.0.0.0/8\n"
				  "  </Location>\n"
				  "</VirtualHost>\n");
	TORTURE(ALONE, 1, "upgrade=websocket", "lint", "--request", "ws://h/ws",
		"apache.conf");
	write_file("Caddyfile", ":80 {\n"
				"  @ws path /ws*\n"
				"  respond @ws 403\n"
				"  reverse_proxy 127.0.0.1:9 {\n"
				"    header_up -Upgrade\n"
				"  }\n"
				"}\n");
	TORTURE(ALONE, 1, "\"refused\"", "lint", "--request", "ws://h/ws",
		"--json", "Caddyfile");
}

TEST("`explain` prints its page, or says why it cannot")
{
	TORTURE(ALONE, 0, "access.origin", "explain", "403");
	TORTURE(ALONE, 0, "Origin", "explain", "access.origin");
}

TEST("`doctor` says that nobody listens, or why it cannot tell")
{
	TORTURE(RESETTABLE, 1, "net.refused", "doctor", "--no-proxy", "-q",
		"ws://127.0.0.1:1/");
}

/* ---- against a gateway that runs ---- */

static const char gate_yaml[] = "listen: [{address: '127.0.0.1:%u'}]\n"
				"journal: {file: journal.db}\n"
				"stop: {spread: 0ms, deadline: 5s}\n"
				"routes:\n"
				"  - {path: /echo, to: echo}\n"
				"  - {path: /page, to: echo, allow: {origins: "
				"['https://app.example']}}\n";

static pid_t gate;
static char echo_url[64], page_url[64];

static void serve(void)
{
	static char *words[] = {(char *)"sesame", (char *)"serve", (char *)"-c",
				(char *)"gate.yaml", NULL};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(folder) != 0)
		_exit(99);
	redirect(STDOUT_FILENO, "gate.out", O_TRUNC);
	redirect(STDERR_FILENO, "gate.err", O_TRUNC);
	_exit(sesame_main(4, words));
}

static void open_gate(void)
{
	unsigned port = free_port();
	char text[1024];

	snprintf(text, sizeof(text), gate_yaml, port);
	write_file("gate.yaml", text);
	write_file("gate.out", "");
	snprintf(echo_url, sizeof(echo_url), "ws://127.0.0.1:%u/echo", port);
	snprintf(page_url, sizeof(page_url), "ws://127.0.0.1:%u/page", port);
	gate = fork();
	assert_true(gate >= 0);
	if (gate == 0)
		serve();
	for (int i = 0; i < 5000; i++) {
		if (strstr(read_file("gate.out"), "listening on "))
			return;
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
	fail_msg("the gateway did not start: %s", read_file("gate.err"));
}

static void close_gate(void)
{
	int status;

	kill(gate, SIGTERM);
	assert_int_equal(waitpid(gate, &status, 0), gate);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST("`connect` hears its echo, or says why not")
{
	open_gate();
	TORTURE(RESETTABLE, 0, "hello", "connect", "-m", "hello", echo_url);
	TORTURE(RESETTABLE, 1, "403 Forbidden", "connect", "--origin",
		"https://evil.example", "-m", "hello", page_url);
	close_gate();
}

TEST("`doctor` finds why a gateway refuses, or says why it cannot tell")
{
	open_gate();
	/* Not -q: a handshake that had no answer stands among the handshakes. */
	TORTURE(TALKING, 1, "access.origin", "doctor", "--no-proxy", "--origin",
		"https://evil.example", page_url);
	close_gate();
}

TEST("`why` tells of a refusal, or says why it cannot")
{
	struct command refused = {.words = {"connect", "-m", "hello", page_url}};
	char reference[16];
	const char *at;

	open_gate();
	rig_run(RIG_MEMORY, -1, play, &refused);
	close_gate();
	at = strstr(read_file("err"), "Reference: ");
	assert_non_null(at);
	snprintf(reference, sizeof(reference), "%.9s",
		 at + strlen("Reference: "));
	TORTURE(ALONE, 0, "access.origin-missing", "why", reference, "-c",
		"gate.yaml");
	TORTURE(ALONE, 0, "access.origin-missing", "why", reference, "-c",
		"gate.yaml", "--json");
	TORTURE(ALONE, 0, "/page", "why", "--last", "-c", "gate.yaml");
	TORTURE(ALONE, 0, "/page", "why", "--top", "route", "--journal",
		"journal.db");
}
