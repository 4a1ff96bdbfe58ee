/* SPDX-License-Identifier: MIT */
/* The remedies: complete, well-formed, in the right order, filled safely. */
#include "why/remedy.h"
#include "test.h"

#include <ctype.h>
#include <stdio.h>

static const char *const known[] = {
	"origin", "host",	 "port",       "path",	  "url",
	"scheme", "subprotocol", "user_agent", "address", "expected",
	"host_port", "reference", "upstream", "slashed", "origin_host",
	"parameter", "asking",
	"bare_path", "http", "user", "from", "target", "seconds", "blocked_at",
};

TEST("every cause has a remedy that holds whatever the stack")
{
	for (int c = 0; c < WHY_N_CAUSES; c++) {
		const struct why_remedy *r = why_remedy(c, WHY_STACK_NONE, 0);

		assert_non_null(r);
		assert_int_equal(r->cause, c);
		assert_int_equal(r->stack, WHY_STACK_NONE);
	}
}

/* Whether "{name}" at @text is a known placeholder; others are no such. */
static bool is_known(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strlen(known[i]) == len && !memcmp(known[i], name, len))
			return true;
	return false;
}

static void check_placeholders(const char *text)
{
	for (; text && (text = strchr(text, '{')); text++) {
		size_t n = 0;

		while (islower((unsigned char)text[1 + n]) || text[1 + n] == '_')
			n++;
		if (!n || text[1 + n] != '}')
			continue;
		if (!is_known(text + 1, n))
			fprintf(stderr, "unknown placeholder in: %s\n", text);
		assert_true(is_known(text + 1, n));
	}
}

static void check_row(const struct why_remedy *r)
{
	static const char *const who[] = {"nobody", "client", "proxy", "server",
					  "network"};
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(who); i++)
		found |= !strcmp(r->who, who[i]);
	assert_true(found);
	assert_true(strlen(r->what) > 2);
	assert_true(strchr(".,?", r->what[strlen(r->what) - 1]) != NULL);
	check_placeholders(r->what);
	check_placeholders(r->where);
	check_placeholders(r->snippet);
	assert_true(!r->snippet || strlen(r->snippet) > 0);
}

TEST("every remedy is a sentence with an addressee and known placeholders")
{
	for (int c = 0; c < WHY_N_CAUSES; c++)
		for (int s = 0; s < WHY_N_STACKS; s++)
			for (size_t i = 0; why_remedy(c, s, i); i++)
				check_row(why_remedy(c, s, i));
}

/* 0 for the stack's own, 1 for its kin's, 2 for general rows. */
static int rank_of(const struct why_remedy *r, int stack)
{
	return (int)r->stack == stack ? 0 : r->stack != WHY_STACK_NONE ? 1 : 2;
}

TEST("a stack's own remedies come first, then its kin's, then the general")
{
	for (int c = 0; c < WHY_N_CAUSES; c++)
		for (int s = 1; s < WHY_N_STACKS; s++) {
			const struct why_remedy *r;
			int rank = 0;

			for (size_t i = 0; (r = why_remedy(c, s, i)); i++) {
				assert_true(rank_of(r, s) >= rank);
				rank = rank_of(r, s);
			}
			assert_int_equal(rank, 2);
		}
}

TEST("the stacks that refuse most often have their own line for an Origin")
{
	static const enum why_stack stacks[] = {
		WHY_STACK_NGINX,       WHY_STACK_APACHE,
		WHY_STACK_HAPROXY,     WHY_STACK_CADDY,
		WHY_STACK_TRAEFIK,     WHY_STACK_ENVOY,
		WHY_STACK_NODE_WS,     WHY_STACK_SOCKETIO,
		WHY_STACK_UVICORN,     WHY_STACK_DAPHNE,
		WHY_STACK_TORNADO,     WHY_STACK_JUPYTER,
		WHY_STACK_AIOHTTP,     WHY_STACK_PYTHON_WEBSOCKETS,
		WHY_STACK_ACTIONCABLE, WHY_STACK_SPRING,
		WHY_STACK_GORILLA,     WHY_STACK_PHOENIX,
		WHY_STACK_KESTREL,     WHY_STACK_SESAME,
	};

	for (size_t i = 0; i < ARRAY_LEN(stacks); i++) {
		const struct why_remedy *r =
			why_remedy(WHY_ACCESS_ORIGIN, stacks[i], 0);

		assert_int_not_equal(r->stack, WHY_STACK_NONE);
		assert_non_null(r->snippet);
		assert_non_null(strstr(r->snippet, "{origin}"));
		assert_null(strstr(r->snippet, "*\""));
	}
}

TEST("nginx is told all it needs to forward an upgrade")
{
	const struct why_remedy *r =
		why_remedy(WHY_SERVER_PROXY_UPGRADE, WHY_STACK_NGINX, 0);

	assert_non_null(strstr(r->snippet, "proxy_http_version 1.1;"));
	assert_non_null(strstr(r->snippet, "Upgrade $http_upgrade;"));
	assert_non_null(strstr(r->snippet, "Connection \"upgrade\";"));
}

TEST("placeholders are filled, unknown ones shown, other braces left alone")
{
	static const struct why_value values[] = {
		{"origin", "https://a.example"},
		{"path", "/chat"},
	};
	static const struct {
		const char *text, *filled;
	} rows[] = {
		{"", ""},
		{"add {origin};", "add https://a.example;"},
		{"location {path} {\n}", "location /chat {\n}"},
		{"{path}{path}", "/chat/chat"},
		{"{host}", "<host>"},
		{"{http.request.host} {x} { path } {",
		 "{http.request.host} {x} { path } {"},
		{"{ '{origin}' }", "{ 'https://a.example' }"},
		{"{origin", "{origin"},
	};
	char out[128];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(why_remedy_fill(rows[i].text, values, 2,
						    out, sizeof(out)),
				    rows[i].filled);
}

TEST("filling stops at the end of the room, wherever that falls")
{
	static const struct why_value values[] = {{"origin", "https://a.b"}};
	const char *whole = "x https://a.b <host> y";
	char out[64];

	for (size_t size = 1; size < sizeof(out); size++) {
		memset(out, 'Z', sizeof(out));
		why_remedy_fill("x {origin} {host} y", values, 1, out, size);
		assert_true(strlen(out) < size);
		assert_memory_equal(out, whole, strlen(out));
		if (size > strlen(whole))
			assert_string_equal(out, whole);
		for (size_t i = size; i < sizeof(out); i++)
			assert_int_equal(out[i], 'Z');
	}
}
