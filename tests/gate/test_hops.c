/* SPDX-License-Identifier: MIT */
/* Who the client is, behind any row of proxies, honest and not. */
#include "gate/hops.h"

#include "base/buf.h"
#include "test.h"

static const char *const trusted_text[] = {"10.0.0.0/8", "2001:db8:a::/48",
					   "127.0.0.1"};

struct asked {
	struct gate_network trusted[ARRAY_LEN(trusted_text)];
	struct ses_head head;
	struct ses_proxy_header proxy;
	struct gate_hops_input input;
	struct gate_hops hops;
};

static void put_field(struct asked *a, const char *name, const char *value)
{
	if (value)
		a->head.fields[a->head.n_fields++] = (struct ses_field){
			bytes_of_str(name), bytes_of_str(value)};
}

static void read_to(struct gate_address *ret, const char *text)
{
	assert_true(gate_address_read(bytes_of_str(text), ret));
}

static void ask(struct asked *a, const char *peer, const char *proxy)
{
	memset(a, 0, sizeof(*a));
	for (size_t i = 0; i < ARRAY_LEN(trusted_text); i++)
		assert_null(gate_network_read(bytes_of_str(trusted_text[i]),
					      &a->trusted[i]));
	read_to(&a->input.peer, peer);
	a->input.head = &a->head;
	a->input.trusted = a->trusted;
	a->input.n_trusted = ARRAY_LEN(trusted_text);
	if (proxy) {
		a->proxy.family = strchr(proxy, ':') ? 6 : 4;
		read_to((struct gate_address *)a->proxy.source, proxy);
		a->input.proxy = &a->proxy;
	}
}

static void expect(struct asked *a, size_t row, const char *client,
		   enum gate_hops_end end)
{
	gate_hops_read(&a->input, &a->hops);
	if (strcmp(a->hops.client_text, client) != 0)
		fail_msg("row %zu: %s, not %s", row, a->hops.client_text,
			 client);
	if (a->hops.end != end)
		fail_msg("row %zu ended by %d, not %d", row, a->hops.end, end);
	assert_memory_equal(&a->hops.client,
			    &a->hops.hop[a->hops.n - 1].address, 16);
}

#define ALL	  GATE_HOPS_ALL
#define UNTRUSTED GATE_HOPS_UNTRUSTED
#define HIDDEN	  GATE_HOPS_HIDDEN
#define MALFORMED GATE_HOPS_MALFORMED

TEST("X-Forwarded-For counts from the right as far as hops are trusted")
{
	static const struct {
		const char *peer, *proxy, *list, *client;
		enum gate_hops_end end;
	} rows[] = {
		{"203.0.113.1", NULL, NULL, "203.0.113.1", ALL},
		{"10.0.0.1", NULL, NULL, "10.0.0.1", ALL},
		{"10.0.0.1", NULL, "", "10.0.0.1", ALL},
		{"10.0.0.1", NULL, " , ,", "10.0.0.1", ALL},
		{"10.0.0.1", NULL, "203.0.113.9", "203.0.113.9", ALL},
		{"::ffff:10.0.0.1", NULL, "203.0.113.9", "203.0.113.9", ALL},
		/* nobody trusts the peer */
		{"203.0.113.1", NULL, "10.0.0.1", "203.0.113.1", UNTRUSTED},
		{"203.0.113.1", NULL, "127.0.0.1, 10.0.0.1", "203.0.113.1",
		 UNTRUSTED},
		/* what stands left of the client is the client's */
		{"10.0.0.1", NULL, "10.9.9.9, 203.0.113.9", "203.0.113.9",
		 UNTRUSTED},
		{"10.0.0.1", NULL, "127.0.0.1,,203.0.113.9", "203.0.113.9",
		 UNTRUSTED},
		{"10.0.0.1", NULL, "garbage\", 203.0.113.9", "203.0.113.9",
		 UNTRUSTED},
		{"10.0.0.1", NULL, "203.0.113.9, 10.0.0.3, 10.0.0.2",
		 "203.0.113.9", ALL},
		{"10.0.0.1", NULL, "10.0.0.4, 10.0.0.3, 10.0.0.2", "10.0.0.4",
		 ALL},
		/* forms of an address */
		{"10.0.0.1", NULL, "203.0.113.9:4711", "203.0.113.9", ALL},
		{"10.0.0.1", NULL, "2001:db8::9", "2001:db8::9", ALL},
		{"10.0.0.1", NULL, "[2001:db8::9]", "2001:db8::9", ALL},
		{"10.0.0.1", NULL, "[2001:DB8::9]:4711", "2001:db8::9", ALL},
		{"10.0.0.1", NULL, "::ffff:203.0.113.9", "203.0.113.9", ALL},
		{"10.0.0.1", NULL, "[::ffff:203.0.113.9]:80", "203.0.113.9", ALL},
		{"2001:db8:a::1", NULL, "203.0.113.9, [2001:db8:a::2]:80",
		 "203.0.113.9", ALL},
		/* no address: the last that was vouched for */
		{"10.0.0.1", NULL, "unknown", "10.0.0.1", HIDDEN},
		{"10.0.0.1", NULL, "Unknown", "10.0.0.1", HIDDEN},
		{"10.0.0.1", NULL, "_hidden", "10.0.0.1", HIDDEN},
		{"10.0.0.1", NULL, "10.0.0.9, _a.b-c, 10.0.0.2", "10.0.0.2",
		 HIDDEN},
		{"10.0.0.1", NULL, "203.0.113.9, x, 10.0.0.2", "10.0.0.2",
		 MALFORMED},
		{"10.0.0.1", NULL, "_", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "203.0.113.256", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "203.0.113.9:", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "203.0.113.9:65536", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "203.0.113.9:80:80", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "203.0.113.9 10.0.0.2", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "\"203.0.113.9\"", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "for=203.0.113.9", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "[2001:db8::9", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "[203.0.113.9]", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "[2001:db8::9]x", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "fe80::1%eth0", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "203.0.113.009", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "0xcb007109", "10.0.0.1", MALFORMED},
		{"10.0.0.1", NULL, "example.org", "10.0.0.1", MALFORMED},
		/* behind a PROXY header */
		{"10.0.0.1", "203.0.113.9", NULL, "203.0.113.9", ALL},
		{"10.0.0.1", "2001:db8::9", NULL, "2001:db8::9", ALL},
		{"203.0.113.1", "10.0.0.9", NULL, "203.0.113.1", UNTRUSTED},
		{"203.0.113.1", "10.0.0.9", "127.0.0.1", "203.0.113.1",
		 UNTRUSTED},
		{"10.0.0.1", "203.0.113.9", "10.0.0.8", "203.0.113.9", UNTRUSTED},
		{"10.0.0.1", "10.0.0.7", "203.0.113.9, 10.0.0.8", "203.0.113.9",
		 ALL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked a;

		ask(&a, rows[i].peer, rows[i].proxy);
		put_field(&a, "x-forwarded-for", rows[i].list);
		expect(&a, i, rows[i].client, rows[i].end);
	}
}

TEST("Forwarded counts from the right as far as hops are trusted")
{
	static const struct {
		const char *list, *client;
		enum gate_hops_end end;
	} rows[] = {
		{NULL, "10.0.0.1", ALL},
		{"for=203.0.113.9", "203.0.113.9", ALL},
		{"For=203.0.113.9;Proto=http;By=10.0.0.1", "203.0.113.9", ALL},
		{"by=10.0.0.1 ; for=203.0.113.9", "203.0.113.9", ALL},
		{";;for=203.0.113.9;;", "203.0.113.9", ALL},
		{"for=\"203.0.113.9:4711\"", "203.0.113.9", ALL},
		{"for=203.0.113.9:4711", "203.0.113.9", ALL},
		{"for=\"203.0.113.9:_port\"", "203.0.113.9", ALL},
		{"for=\"[2001:db8::9]\"", "2001:db8::9", ALL},
		{"for=\"[2001:db8::9]:4711\"", "2001:db8::9", ALL},
		{"for=\"[2001:\\db8::9]\"", "2001:db8::9", ALL},
		{"for=\"203.0.113.9\";host=\"a,b;c\"", "203.0.113.9", ALL},
		{"for=203.0.113.9;host=\"a\\\",b\", for=10.0.0.2",
		 "203.0.113.9", ALL},
		{"for=203.0.113.9, for=10.0.0.3,for=10.0.0.2", "203.0.113.9",
		 ALL},
		{"for=10.9.9.9, for=203.0.113.9", "203.0.113.9", UNTRUSTED},
		/* a quote that the client left open swallows nothing */
		{"for=\", for=203.0.113.9", "203.0.113.9", UNTRUSTED},
		{"for=\"10.0.0.9, for=\"[2001:db8::9]\"", "2001:db8::9",
		 UNTRUSTED},
		{"x=\"\\, for=\"203.0.113.9\"", "203.0.113.9", UNTRUSTED},
		{"for=unknown", "10.0.0.1", HIDDEN},
		{"for=_gazonk", "10.0.0.1", HIDDEN},
		{"for=\"_gazonk:_p\"", "10.0.0.1", HIDDEN},
		{"proto=https;by=_us", "10.0.0.1", HIDDEN},
		{"203.0.113.9", "10.0.0.1", MALFORMED},
		{"for=", "10.0.0.1", MALFORMED},
		{"for=\"\"", "10.0.0.1", MALFORMED},
		{"for", "10.0.0.1", MALFORMED},
		{"=203.0.113.9", "10.0.0.1", MALFORMED},
		{"for =203.0.113.9", "10.0.0.1", MALFORMED},
		{"for=\"203.0.113.9", "10.0.0.1", MALFORMED},
		{"for=203.0.113.9\"", "10.0.0.1", MALFORMED},
		{"for=\"203.0.113.9\"x", "10.0.0.1", MALFORMED},
		{"for=203.0.113.9 for=10.0.0.2", "10.0.0.1", MALFORMED},
		{"for=203.0.113.9;for=10.0.0.2", "10.0.0.1", MALFORMED},
		{"for=203.0.113.9;x=\"", "10.0.0.1", MALFORMED},
		{"for=203.0.113.9;x=\"a\\", "10.0.0.1", MALFORMED},
		{"for=\"203.0.113.9                                         "
		 "                                        \"",
		 "10.0.0.1", MALFORMED},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked a;

		ask(&a, "10.0.0.1", NULL);
		a.input.field = GATE_HOPS_FORWARDED;
		put_field(&a, "Forwarded", rows[i].list);
		expect(&a, i, rows[i].client, rows[i].end);
	}
}

TEST("lines of one name are one list, and names are whole")
{
	struct asked a;

	ask(&a, "10.0.0.1", NULL);
	put_field(&a, "X-Forwarded-For", "192.0.2.66, 10.0.0.4");
	put_field(&a, "X_Forwarded_For", "192.0.2.67");
	put_field(&a, "X-Forwarded-Fo", "192.0.2.68");
	put_field(&a, "X-FORWARDED-FOR", "203.0.113.9, 10.0.0.3");
	put_field(&a, "X-Forwarded-For", "10.0.0.2");
	put_field(&a, "X-Real-IP", "192.0.2.69");
	expect(&a, 0, "203.0.113.9", UNTRUSTED);
	assert_int_equal(a.hops.n, 4);
}

TEST("only the field that the operator named is believed")
{
	struct asked a;

	ask(&a, "10.0.0.1", NULL);
	put_field(&a, "X-Forwarded-For", "203.0.113.1");
	put_field(&a, "X-Forwarded-Proto", "https");
	put_field(&a, "Forwarded", "for=203.0.113.2;proto=http");
	expect(&a, 0, "203.0.113.1", ALL);
	assert_true(a.hops.tls);
	a.input.field = GATE_HOPS_FORWARDED;
	expect(&a, 1, "203.0.113.2", ALL);
	assert_false(a.hops.tls);
	a.head.n_fields = 2; /* it does not fall back */
	expect(&a, 2, "10.0.0.1", ALL);
	assert_false(a.hops.tls);
}

TEST("whether the client came by TLS is what trusted hops say")
{
	static const struct {
		const char *peer, *list, *proto;
		bool own, tls;
	} rows[] = {
		{"203.0.113.1", NULL, NULL, true, true},
		{"203.0.113.1", NULL, NULL, false, false},
		/* not trusted: only what we saw ourselves */
		{"203.0.113.1", NULL, "https", false, false},
		{"203.0.113.1", "10.0.0.2", "http", true, true},
		{"10.0.0.1", "203.0.113.9", "https", false, true},
		{"10.0.0.1", "203.0.113.9", "WSS", false, true},
		{"10.0.0.1", "203.0.113.9", "http", true, false},
		/* TLS to us does not tell how the client came to the proxy */
		{"10.0.0.1", "203.0.113.9", NULL, true, false},
		{"10.0.0.1", "unknown", NULL, true, false},
		{"10.0.0.1", "203.0.113.9", "ftp", true, false},
		/* the peer itself is the client */
		{"10.0.0.1", NULL, NULL, true, true},
		{"10.0.0.1", NULL, "https", false, true},
		/* lists: as many from the right as hops were taken */
		{"10.0.0.1", "203.0.113.9, 10.0.0.2", "https, http", false, true},
		{"10.0.0.1", "203.0.113.9, 10.0.0.2", "http, https", false,
		 false},
		{"10.0.0.1", "203.0.113.9", "https, http", false, false},
		{"10.0.0.1", "10.0.0.9, 203.0.113.9, 10.0.0.2",
		 "https, http, https", false, false},
		{"10.0.0.1", "203.0.113.9, 10.0.0.2", "https", false, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked a;

		ask(&a, rows[i].peer, NULL);
		a.input.tls = rows[i].own;
		put_field(&a, "X-Forwarded-For", rows[i].list);
		put_field(&a, "X-Forwarded-Proto", rows[i].proto);
		gate_hops_read(&a.input, &a.hops);
		if (a.hops.tls != rows[i].tls)
			fail_msg("row %zu: %d", i, a.hops.tls);
	}
}

TEST("the protocol of Forwarded is that of the client's own entry")
{
	static const struct {
		const char *list;
		bool own, tls;
	} rows[] = {
		{"for=203.0.113.9;proto=https", false, true},
		{"for=203.0.113.9;proto=\"https\"", false, true},
		{"for=203.0.113.9;proto=http", true, false},
		{"for=203.0.113.9", true, false},
		{"for=203.0.113.9;proto=https, for=10.0.0.2;proto=http", false,
		 true},
		{"for=203.0.113.9;proto=http, for=10.0.0.2;proto=https", false,
		 false},
		{"for=1.1.1.1;proto=https, for=203.0.113.9;proto=http", false,
		 false},
		{"for=unknown;proto=https", false, true},
		/* what is malformed says nothing, what is right of it does */
		{"for=x;proto=https, for=10.0.0.2;proto=http", true, false},
		{"for=x;proto=http, for=10.0.0.2;proto=https", false, true},
		{"for=203.0.113.9;proto=https;proto=https", false, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked a;

		ask(&a, "10.0.0.1", NULL);
		a.input.field = GATE_HOPS_FORWARDED;
		a.input.tls = rows[i].own;
		put_field(&a, "Forwarded", rows[i].list);
		gate_hops_read(&a.input, &a.hops);
		if (a.hops.tls != rows[i].tls)
			fail_msg("row %zu: %d", i, a.hops.tls);
	}
}

TEST("a PROXY header tells of TLS when its sender is trusted")
{
	struct asked a;

	ask(&a, "10.0.0.1", "203.0.113.9");
	a.proxy.tls = true;
	gate_hops_read(&a.input, &a.hops);
	assert_true(a.hops.tls);
	ask(&a, "203.0.113.1", "203.0.113.9");
	a.proxy.tls = true;
	gate_hops_read(&a.input, &a.hops);
	assert_false(a.hops.tls);
}

TEST("a PROXY header that names nobody leaves the peer, who may tell more")
{
	struct asked a;

	ask(&a, "10.0.0.1", NULL);
	a.input.proxy = &a.proxy;
	expect(&a, 0, "10.0.0.1", ALL);
	put_field(&a, "X-Forwarded-For", "203.0.113.9");
	expect(&a, 1, "203.0.113.9", ALL);
	a.input.head = NULL; /* none came yet */
	expect(&a, 2, "10.0.0.1", ALL);
}

TEST("no more than 64 hops are followed")
{
	struct asked a;
	struct ses_buf list;

	ses_buf_init(&list, 65536);
	for (int i = 0; i < 1000; i++)
		ses_buf_printf(&list, "%s10.0.1.%d", i ? "," : "", i % 250);
	ses_buf_append(&list, bytes_of("", 1));
	ask(&a, "10.0.0.1", "10.0.0.2");
	put_field(&a, "X-Forwarded-For",
		  (const char *)ses_buf_bytes(&list).data);
	expect(&a, 0, "10.0.1.186", GATE_HOPS_TOO_MANY);
	assert_int_equal(a.hops.n, GATE_MAX_HOPS + 2);
	ses_buf_fini(&list);
}

TEST("the way is told in one printable line, cut where it must be")
{
	struct asked a;
	char line[200], cut[20];

	ask(&a, "10.0.0.1", "10.0.0.2");
	put_field(&a, "X-Forwarded-For", "\x1b[31m, 203.0.113.9, 10.0.0.3");
	gate_hops_read(&a.input, &a.hops);
	assert_string_equal(
		gate_hops_format(&a.hops, line, sizeof(line)),
		"10.0.0.1 (connected), 10.0.0.2 (PROXY header), 10.0.0.3 "
		"(X-Forwarded-For), 203.0.113.9 (X-Forwarded-For); not read: "
		"\\x1b[31m in X-Forwarded-For, said by a hop that is not "
		"trusted");
	assert_string_equal(gate_hops_format(&a.hops, cut, sizeof(cut)),
			    "10.0.0.1 (connected");
	ask(&a, "203.0.113.1", "10.0.0.2");
	gate_hops_read(&a.input, &a.hops);
	assert_string_equal(gate_hops_format(&a.hops, line, sizeof(line)),
			    "203.0.113.1 (connected); not read: the PROXY "
			    "header, said by a hop that is not trusted");
}

/* Whatever the client wrote, what the trusted hops appended decides. */
TEST("no beginning of a list changes what its right end says")
{
	static const char alphabet[] = "\"\\,;= \t[]:._-10afor\xff";
	uint32_t seed = 1;

	for (int round = 0; round < 20000; round++) {
		enum gate_hops_field field = round % 2;
		char list[120];
		size_t len = (size_t)round % 60;
		struct asked a;

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			list[i] =
				alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		strcpy(list + len,
		       field == GATE_HOPS_FORWARDED
			       ? ", for=\"[2001:db8::9]:80\";proto=https"
			       : ", 2001:db8::9");
		ask(&a, "10.0.0.1", NULL);
		a.input.field = field;
		put_field(&a, field ? "Forwarded" : "X-Forwarded-For", list);
		gate_hops_read(&a.input, &a.hops);
		assert_string_equal(a.hops.client_text, "2001:db8::9");
		assert_int_equal(a.hops.n, 2);
	}
}
