/* SPDX-License-Identifier: MIT */
/*
 * The program's commands, with one call of theirs going wrong. What they print
 * then is what they print otherwise, or they say in words why it is not: never
 * less in silence, for "no fault was found" must not mean "there was no memory
 * to look".
 */
#include "rig.h"

#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRINTED (1 << 18)

int sesame_main(int argc, char **argv); /* main() of src/cli/main.c */

struct command {
	const char *words[16];
};

static char folder[64];

/* In which files the play's output goes; they outlive it. */
static void redirect(int to, const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	dup2(fd, to);
	close(fd);
}

static int play(void *arg)
{
	const struct command *command = arg;
	char *words[17];
	int n = 0;

	rig_spare();
	if (chdir(folder) != 0)
		return 99;
	setenv("NO_COLOR", "1", 1);
	redirect(STDOUT_FILENO, "out");
	redirect(STDERR_FILENO, "err");
	words[n++] = (char *)"sesame";
	for (int i = 0; i < 16 && command->words[i]; i++)
		words[n++] = (char *)command->words[i];
	words[n] = NULL;
	rig_strike();
	return sesame_main(n, words);
}

static void read_back(const char *name, char *to)
{
	char path[128];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (f) {
		n = fread(to, 1, PRINTED - 1, f);
		fclose(f);
	}
	to[n] = '\0';
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
 * that was not to be had: that alone may happen in silence.
 */
static bool same_verdict(void)
{
	static const char json[] = "\"advice\"", text[] = "\nTo let it in";
	const char *in_json = strstr(quiet.out, json);
	const char *end = in_json ? in_json : strstr(quiet.out, text);
	size_t n = end ? (size_t)(end - quiet.out) : sizeof(quiet.out);

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
					    "perhaps"};
	bool says = false;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		says |= count(now.out, words[i]) > count(quiet.out, words[i]) ||
			count(now.err, words[i]) > count(quiet.err, words[i]);
	return says;
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
	if (!WIFEXITED(rig->status))
		return rig->struck;
	if (now.status > 3)
		rig_fail("exit status %d", now.status);
	else if (!says_why() && !same_verdict())
		rig_fail("exit status %d, not %d, and no word why:\n%.2000s",
			 now.status, quiet.status, now.out);
	return rig->struck;
}

static void torture(const char *const *words)
{
	static const enum rig_kind kinds[] = {RIG_MEMORY, RIG_SYSTEM};
	struct command command = {0};

	for (size_t i = 0; words[i]; i++)
		command.words[i] = words[i];
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		rig_each(kinds[i], at_place, &command);
	assert_int_not_equal(quiet.out[0], '\0');
}

#define TORTURE(...) torture((const char *const[]){__VA_ARGS__, NULL})

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	if (!*folder) {
		snprintf(folder, sizeof(folder), "/tmp/ses-torture-XXXXXX");
		assert_non_null(mkdtemp(folder));
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Plays leave by _exit(), so this is for the test itself. */
__attribute__((destructor)) static void clean_up(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (*folder && system(command) != 0)
		perror(command);
}

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
	TORTURE("check", "good.yaml");
	TORTURE("check", "good.yaml", "--url", "ws://h/echo/1", "--origin",
		"https://one.app.example");
	TORTURE("check", "good.yaml", "--url", "/echo/1", "--origin",
		"https://evil.test", "--json");
}

TEST("`check` finds every fault of a file, or says why it cannot")
{
	write_file("bad.yaml", bad_yaml);
	TORTURE("check", "bad.yaml", "--json");
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
	TORTURE("lint", "nginx.conf");
	TORTURE("lint", "--fix", "nginx.conf");
	TORTURE("lint", "--request", "ws://app.example/ws", "--origin",
		"https://evil.test", "nginx.conf");
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
	TORTURE("lint", "--request", "ws://h/ws", "haproxy.cfg");
	write_file("apache.conf", "Listen 80\n"
				  "<VirtualHost *:80>\n"
				  "  ProxyPass /ws http://127.0.0.1:9/\n"
				  "  <Location /ws>\n"
				  "    Require ip 10.0.0.0/8\n"
				  "  </Location>\n"
				  "</VirtualHost>\n");
	TORTURE("lint", "--request", "ws://h/ws", "apache.conf");
	write_file("Caddyfile", ":80 {\n"
				"  @ws path /ws*\n"
				"  respond @ws 403\n"
				"  reverse_proxy 127.0.0.1:9 {\n"
				"    header_up -Upgrade\n"
				"  }\n"
				"}\n");
	TORTURE("lint", "--request", "ws://h/ws", "--json", "Caddyfile");
}

TEST("`explain` prints its page, or says why it cannot")
{
	TORTURE("explain", "403");
	TORTURE("explain", "access.origin");
}

TEST("`doctor` says that nobody listens, or why it cannot tell")
{
	TORTURE("doctor", "--no-proxy", "-q", "ws://127.0.0.1:1/");
}
