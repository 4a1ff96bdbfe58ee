/* SPDX-License-Identifier: MIT */
/*
 * The vocabulary against its contract (tests/contracts/causes.tsv), and what
 * each row owes its reader.
 */
#include "why/cause.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *open_contract(void)
{
	FILE *f = fopen(SOURCE_DIR "/tests/contracts/causes.tsv", "r");
	char line[512];

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f)); /* the column names */
	return f;
}

TEST("every cause of the contract is there, in its order, with its addressee")
{
	FILE *f = open_contract();
	char line[512];
	int n = 0;

	for (; fgets(line, sizeof(line), f); n++) {
		const char *id = strtok(line, "\t");
		const char *who = strtok(NULL, "\t");

		assert_true(n < WHY_N_CAUSES);
		assert_string_equal(why_cause(n)->id, id);
		assert_string_equal(why_cause(n)->who, who);
	}
	assert_int_equal(n, WHY_N_CAUSES);
	fclose(f);
}

TEST("a cause is found by its id and by nothing else")
{
	for (int i = 0; i < WHY_N_CAUSES; i++)
		assert_int_equal(why_cause_find(bytes_of_str(why_cause(i)->id)),
				 i);
	assert_int_equal(why_cause_find(BYTES("access.origi")), -1);
	assert_int_equal(why_cause_find(BYTES("access.origin ")), -1);
	assert_int_equal(why_cause_find(BYTES("")), -1);
	assert_null(why_cause(WHY_N_CAUSES));
}

TEST("the category is the part of the id before the dot")
{
	assert_true(bytes_equal_str(why_category(WHY_ACCESS_ORIGIN), "access"));
	assert_true(
		bytes_equal_str(why_category(WHY_NET_ADDRESS_FAMILY), "net"));
	assert_true(bytes_equal_str(why_category(WHY_OK), "ok"));
}

TEST("each cause has one sentence and some paragraphs, fit for any terminal")
{
	for (int i = 0; i < WHY_N_CAUSES; i++) {
		const struct why_cause_row *row = why_cause(i);
		size_t len = strlen(row->sentence);

		assert_true(len > 40 && len < 200);
		assert_int_equal(row->sentence[len - 1], '.');
		assert_null(strchr(row->sentence, '\n'));
		assert_true(strlen(row->text) > 300);
		assert_non_null(strstr(row->text, "\n\n"));
		for (const char *p = row->text; *p; p++)
			assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
	}
}

TEST("no two causes are told in the same words")
{
	for (int i = 0; i < WHY_N_CAUSES; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(why_cause(i)->sentence,
						why_cause(k)->sentence);
}

/* What stands on people's screens: they will look for it in these words. */
static const struct {
	const char *id, *words;
} seen[] = {
	{"url.syntax", "wws://"},
	{"url.scheme", "The plain HTTP request was sent to HTTPS port"},
	{"url.path", "/socket.io/?EIO=4&transport=websocket"},
	{"url.query", "Transport unknown"},
	{"client.bad-handshake", "--http1.1"},
	{"client.headers-too-large", "Request Header Or Cookie Too Large"},
	{"browser.mixed-content", "Mixed Content"},
	{"browser.csp", "Refused to connect to"},
	{"access.origin", "Cross origin websockets not allowed"},
	{"access.origin-missing", "lacks None"},
	{"access.host", "Invalid host header"},
	{"access.credentials", "WWW-Authenticate"},
	{"access.permission", "$connect"},
	{"access.client-cert", "No required SSL certificate was sent"},
	{"access.rate", "Retry-After"},
	{"access.waf", "cf-mitigated: challenge"},
	{"net.dns", "getaddrinfo ENOTFOUND"},
	{"net.refused", "ECONNREFUSED"},
	{"net.timeout", "silent-drop"},
	{"net.reset", "socket hang up"},
	{"net.address-family", "::1"},
	{"net.proxy-denied", "X-Squid-Error"},
	{"net.proxy-auth", "407 Proxy Authentication Required"},
	{"net.proxy-strips-upgrade", "426 Upgrade Required"},
	{"net.idle-timeout", "proxy_read_timeout"},
	{"tls.untrusted", "unable to get local issuer certificate"},
	{"tls.expired", "certificate has expired"},
	{"tls.hostname", "hostname mismatch"},
	{"tls.version", "protocol version"},
	{"server.no-websocket", "No supported WebSocket library detected"},
	{"server.proxy-upgrade", "Can \"Upgrade\" only to \"WebSocket\""},
	{"server.proxy-host", "ProxyPreserveHost"},
	{"server.proxy-proto", "X-Forwarded-Proto"},
	{"server.forwarded-untrusted", "400: Bad Request"},
	{"server.cdn-websockets-off", "cf-ray"},
	{"server.sticky-session", "Session ID unknown"},
	{"server.backend-down", "504 Gateway Timeout"},
	{"server.version", "Sec-WebSocket-Version"},
	{"server.subprotocol", "but no response was received"},
	{"server.redirect", "Location"},
	{"server.http2", "PROTOCOL_ERROR"},
	{"server.bad-accept", "Incorrect 'Sec-WebSocket-Accept' header value"},
	{"server.limit", "worker_connections are not enough"},
	{"server.app-rejected", "4000 to 4999"},
};

TEST("a text holds the words that people see when they meet its cause")
{
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		int cause = why_cause_find(bytes_of_str(seen[i].id));

		assert_true(cause >= 0);
		if (!strstr(why_cause(cause)->text, seen[i].words))
			fprintf(stderr, "%s: %s\n", seen[i].id, seen[i].words);
		assert_non_null(strstr(why_cause(cause)->text, seen[i].words));
	}
}
