/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>

#include "doctor/request.h"

/* The user's own request, with everything that a user may say. */
static struct doctor_case asked;

static void set_up(void)
{
	static const struct doctor_header headers[] = {
		{(char *)"Cookie", (char *)"sid=c00kie"},
		{(char *)"Authorization", (char *)"Bearer t0ken"},
		{(char *)"X-Api-Key", (char *)"k3y-of-ann"},
		{(char *)"X-Colour", (char *)"blue"},
	};
	enum ses_url_fault fault;
	size_t at;

	asked = (struct doctor_case){
		.url_text = (char *)"wss://h:8443/chat?room=1&token=qt0ken",
		.origin = (char *)"https://app.example",
		.user_agent = (char *)"agent/1",
		.subprotocols = (char *)"chat.v2, eyJhbGciOiJIUzI1NiJ9.e30.x",
		.proxy = (char *)"http://p:3128",
		.cert_file = (char *)"client.pem",
		.n_headers = ARRAY_LEN(headers),
		.timeout_ms = 5000,
	};
	memcpy(asked.header, headers, sizeof(headers));
	assert_int_equal(ses_url_parse(bytes_of_str(asked.url_text), &asked.url,
				       &fault, &at),
			 0);
}

static struct doctor_request request;
static struct doctor_trial trial;
static char sent[8192];

/* Make the request for a trial; sent[] is its text. */
static void make(enum doctor_change change, const char *value)
{
	struct bytes bytes;

	trial.change = change;
	snprintf(trial.value, sizeof(trial.value), "%s", value);
	assert_int_equal(doctor_request_make(&asked, &trial, &request), 0);
	bytes = ses_buf_bytes(&request.bytes);
	assert_true(bytes.len < sizeof(sent));
	memcpy(sent, bytes.data, bytes.len);
	sent[bytes.len] = 0;
	doctor_request_fini(&request);
}

static bool has(const char *text)
{
	return strstr(sent, text) != NULL;
}

static bool has_secret(void)
{
	return has("c00kie") || has("t0ken") || has("k3y-of-ann") ||
	       has("eyJhbGci");
}

TEST("the user's own request holds all that was asked for")
{
	set_up();
	make(DOCTOR_NOTHING, "");
	assert_true(has("GET /chat?room=1&token=qt0ken HTTP/1.1\r\n"));
	assert_true(has("\r\nHost: h:8443\r\n"));
	assert_true(has("\r\nUpgrade: websocket\r\n"));
	assert_true(has("\r\nConnection: Upgrade\r\n"));
	assert_true(has("\r\nSec-WebSocket-Version: 13\r\n"));
	assert_true(has("\r\nOrigin: https://app.example\r\n"));
	assert_true(has("\r\nUser-Agent: agent/1\r\n"));
	assert_true(has("\r\nCookie: sid=c00kie\r\n"));
	assert_true(has("\r\nAuthorization: Bearer t0ken\r\n"));
	assert_true(has("\r\nX-Colour: blue\r\n"));
	assert_true(has("chat.v2, eyJ"));
	assert_true(has("permessage-deflate"));
	assert_false(request.bare);
	assert_true(request.url.tls);
	assert_string_equal(request.dial.proxy, "http://p:3128");
	assert_int_equal(strcmp(sent + strlen(sent) - 4, "\r\n\r\n"), 0);
}

TEST("a trial changes one thing")
{
	static const struct {
		enum doctor_change change;
		const char *value, *there, *gone;
	} rows[] = {
		{DOCTOR_ORIGIN, "http://h", "\r\nOrigin: http://h\r\n",
		 "app.example"},
		{DOCTOR_NO_ORIGIN, "", "Cookie", "Origin:"},
		{DOCTOR_USER_AGENT, "x", "User-Agent: x\r\n", "agent/1"},
		{DOCTOR_HOST, "g", "\r\nHost: g\r\n", "h:8443"},
		{DOCTOR_NAMED_SO, "g:8443", "\r\nHost: g:8443\r\n", "h:8443"},
		{DOCTOR_NAMED_SO, "g:8443", "\r\nOrigin: https://g\r\n",
		 "app.example"},
		{DOCTOR_PATH, "/other", "GET /other?room=1", "/chat"},
		{DOCTOR_PATH, "/other?a=b", "GET /other?a=b HTTP", "room"},
		{DOCTOR_SUBPROTOCOL, "mqtt", "Sec-WebSocket-Protocol: mqtt\r\n",
		 "chat.v2"},
		{DOCTOR_NO_SUBPROTOCOL, "", "Origin", "Sec-WebSocket-Protocol"},
		{DOCTOR_NO_QUERY, "", "GET /chat HTTP/1.1", "room"},
		{DOCTOR_PARAMETER, "room=2",
		 "GET /chat?room=2&token=qt0ken HTTP", "room=1"},
		{DOCTOR_PARAMETER, "roo=2",
		 "GET /chat?room=1&token=qt0ken&roo=2 HTTP", "room=2"},
		{DOCTOR_PARAMETER, "EIO=4&transport=websocket",
		 "room=1&token=qt0ken&EIO=4&transport=websocket HTTP", "x y"},
		{DOCTOR_NO_PARAMETER, "room", "GET /chat?token=qt0ken HTTP",
		 "room"},
		{DOCTOR_NO_PARAMETER, "to",
		 "GET /chat?room=1&token=qt0ken HTTP", "x y"},
		{DOCTOR_PATH, "/sesame-no-such-path",
		 "GET /sesame-no-such-path HTTP/1.1", "room"},
		{DOCTOR_SHORT_HEADER, "Cookie", "\r\nCookie: sid=x\r\n",
		 "c00kie"},
		{DOCTOR_SHORT_HEADER, "Authorization",
		 "\r\nAuthorization: Bearer x\r\n", "t0ken\r"},
		{DOCTOR_SHORT_HEADER, "X-Colour", "\r\nX-Colour: x\r\n", "blue"},
		{DOCTOR_NO_HEADER, "x-colour", "k3y-of-ann", "blue"},
		{DOCTOR_NO_HEADER, "origin", "k3y-of-ann", "Origin:"},
		{DOCTOR_NO_EXTENSIONS, "", "Upgrade", "permessage-deflate"},
		{DOCTOR_VERSION, "8", "Sec-WebSocket-Version: 8\r\n",
		 "Version: 13"},
		{DOCTOR_PORT, "9000", "Host: h:9000\r\n", "8443"},
	};

	set_up();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make(rows[i].change, rows[i].value);
		if (!has(rows[i].there) || has(rows[i].gone))
			fail_msg("row %zu: %s", i, sent);
	}
}

TEST("a line of the PROXY protocol goes before everything, and TLS")
{
	set_up();
	make(DOCTOR_PROXY_LINE, "TCP4 127.0.0.1 127.0.0.1 9 9");
	assert_true(bytes_equal_str(request.dial.preface,
				    "PROXY TCP4 127.0.0.1 127.0.0.1 9 9\r\n"));
	assert_true(has("\r\nCookie: sid=c00kie\r\n"));
	make(DOCTOR_NOTHING, "");
	assert_int_equal(request.dial.preface.len, 0);
}

TEST("a plain GET is the same request without anything of WebSocket")
{
	set_up();
	make(DOCTOR_PLAIN_GET, "");
	assert_true(has("GET /chat?room=1&token=qt0ken HTTP/1.1\r\n"));
	assert_true(has("\r\nConnection: close\r\n\r\n"));
	assert_true(has("Origin: https://app.example"));
	assert_false(has("Upgrade"));
	assert_false(has("Sec-WebSocket"));
	assert_true(request.plain);
	make(DOCTOR_PLAIN_GET_PATH, "/nonsense");
	assert_true(has("GET /nonsense HTTP/1.1\r\n"));
}

TEST("a minimal handshake has nothing of the user's but URL and User-Agent")
{
	set_up();
	make(DOCTOR_MINIMAL, "");
	assert_true(has("GET /chat?room=1&token=qt0ken HTTP/1.1\r\n"));
	assert_false(has("Origin:") || has("Cookie") || has("Authorization") ||
		     has("X-") || has("Sec-WebSocket-Protocol"));
	assert_true(has("Sec-WebSocket-Version: 13"));
}

TEST("credentials go to no other host, port, scheme or made-up path")
{
	static const struct {
		enum doctor_change change;
		const char *value;
		bool withheld;
	} rows[] = {
		{DOCTOR_NOTHING, "", false},
		{DOCTOR_ORIGIN, "http://h", false},
		{DOCTOR_PLAIN_GET, "", false},
		{DOCTOR_PATH, "/chat/", true},
		{DOCTOR_PATH, "/chat", false},
		{DOCTOR_PATH, "/chat?other=query", false},
		{DOCTOR_PATH, "/api/chat", true},
		{DOCTOR_PATH, "/nonsense", true},
		{DOCTOR_PATH, "/chat/deeper", true},
		{DOCTOR_PATH, "/", true},
		{DOCTOR_PLAIN_GET_PATH, "/nonsense", true},
		{DOCTOR_PORT, "9000", true},
		{DOCTOR_SCHEME, "ws", true},
		{DOCTOR_SCHEME, "wss", true},
		{DOCTOR_HOST, "other", true},
		{DOCTOR_INSECURE, "", true},
		{DOCTOR_FAMILY, "6", false},
		{DOCTOR_TLS_VERSION, "1.0", true},
		{DOCTOR_TLS_VERSION, "1.1", true},
		{DOCTOR_TLS_VERSION, "1.2", false},
		{DOCTOR_NO_CREDENTIALS, "", true},
	};

	set_up();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make(rows[i].change, rows[i].value);
		if (has_secret() == rows[i].withheld ||
		    request.bare != rows[i].withheld)
			fail_msg("row %zu: %s", i, sent);
	}
	make(DOCTOR_NO_CREDENTIALS, "");
	assert_true(has("GET /chat?room=1 HTTP/1.1"));
	assert_true(has("Sec-WebSocket-Protocol: chat.v2\r\n"));
	assert_true(has("X-Colour: blue"));
	make(DOCTOR_PORT, "9000");
	assert_null(request.tls.cert_file);
	make(DOCTOR_INSECURE, "");
	assert_null(request.tls.cert_file);
	make(DOCTOR_PATH, "/nonsense");
	assert_string_equal(request.tls.cert_file, "client.pem");
	make(DOCTOR_ORIGIN, "x");
	assert_string_equal(request.tls.cert_file, "client.pem");
}

static void set_url(const char *text)
{
	enum ses_url_fault fault;
	size_t at;

	asked.url_text = (char *)(uintptr_t)text;
	assert_int_equal(
		ses_url_parse(bytes_of_str(text), &asked.url, &fault, &at), 0);
}

TEST("credentials do not go to this machine's other address")
{
	set_up();
	set_url("ws://127.0.0.1:81/?token=qt0ken");
	make(DOCTOR_FAMILY, "6");
	assert_string_equal(request.dial.connect_host, "::1");
	assert_false(has_secret());
	make(DOCTOR_FAMILY, "4");
	assert_true(has_secret());
	asked.connect_host = (char *)"127.0.0.9"; /* the user's own choice */
	make(DOCTOR_FAMILY, "6");
	assert_true(has_secret());
}

TEST("under another name of this machine the same address keeps them")
{
	static const struct {
		const char *url, *connect, *proxy, *host;
		bool kept;
	} rows[] = {
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "localhost:81",
		 true},
		{"ws://localhost:81/?token=qt0ken", NULL, NULL, "127.0.0.1:81",
		 true},
		{"ws://[::1]:81/?token=qt0ken", NULL, NULL, "LOCALHOST", true},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "[::1]:81", true},
		{"ws://127.8.9.1:81/?token=qt0ken", NULL, NULL, "127.0.0.1",
		 true},
		/* another party's name, or one that only begins alike */
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "other", false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "lab.test:81",
		 false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL,
		 "127.0.0.1.evil.test", false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL,
		 "localhost.evil.test", false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "[::1].evil",
		 false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "128.0.0.1",
		 false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "127.0.0.9.",
		 false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "127.1", false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "127...", false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "localhost.",
		 false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, NULL, "localhost:x",
		 false},
		{"ws://127.0.0.1.:81/?token=qt0ken", NULL, NULL, "localhost",
		 false},
		/* somebody else's name, although it leads here */
		{"ws://lab.test:81/?token=qt0ken", "127.0.0.1", NULL,
		 "localhost:81", false},
		{"ws://127.0.0.1:81/?token=qt0ken", "127.0.0.1", NULL,
		 "localhost:81", false},
		/* another machine, or one that only a proxy knows */
		{"ws://lab.test:81/?token=qt0ken", NULL, NULL, "localhost:81",
		 false},
		{"ws://127.0.0.1:81/?token=qt0ken", "10.0.0.1", NULL,
		 "localhost:81", false},
		{"ws://127.0.0.1:81/?token=qt0ken", NULL, "http://p:3128",
		 "localhost:81", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		set_up();
		asked.proxy = (char *)(uintptr_t)rows[i].proxy;
		asked.connect_host = (char *)(uintptr_t)rows[i].connect;
		set_url(rows[i].url);
		make(DOCTOR_HOST, rows[i].host);
		if (has_secret() != rows[i].kept)
			fail_msg("row %zu: %s", i, sent);
	}
	set_up();
}

TEST("a Host of the user's own names whose the credentials are")
{
	set_up();
	asked.proxy = NULL;
	set_url("ws://127.0.0.1:81/?token=qt0ken");
	asked.host = (char *)"app.test";
	make(DOCTOR_HOST, "localhost:81");
	assert_false(has_secret());
	asked.host = (char *)"[::1]:81";
	make(DOCTOR_HOST, "localhost:81");
	assert_true(has_secret());
	set_up();
}

TEST("every handshake has a key of its own, whoever gave one that is none")
{
	char first[64];

	set_up();
	asked.header[asked.n_headers++] =
		(struct doctor_header){(char *)"sec-websocket-key",
				       (char *)"dGhlIHNhbXBsZSBub25jZQ=="};
	make(DOCTOR_NOTHING, "");
	assert_false(has("dGhlIHNhbXBsZSBub25jZQ=="));
	snprintf(first, sizeof(first), "%.24s",
		 strstr(sent, "Sec-WebSocket-Key: ") + 19);
	make(DOCTOR_NOTHING, "");
	assert_true(has("Sec-WebSocket-Key: "));
	assert_false(has(first));
	asked.header[asked.n_headers - 1].value = (char *)"AAAA";
	make(DOCTOR_NOTHING, "");
	assert_true(has("\r\nSec-WebSocket-Key: AAAA\r\n"));
	set_up();
}

TEST("a token in the path goes to no other port or scheme, either")
{
	static const struct {
		enum doctor_change change;
		const char *value;
		bool kept;
	} rows[] = {
		{DOCTOR_NOTHING, "", true},
		{DOCTOR_NO_ORIGIN, "", true},
		{DOCTOR_NO_CREDENTIALS, "", true}, /* another path, otherwise */
		{DOCTOR_SCHEME, "ws", false},
		{DOCTOR_PORT, "9000", false},
		{DOCTOR_TLS_VERSION, "1.0", false},
		{DOCTOR_TLS_VERSION, "1.2", true},
		{DOCTOR_INSECURE, "", false},
	};
	enum ses_url_fault fault;
	size_t at;

	set_up();
	asked.url_text =
		(char *)"wss://h:8443/ws/a1B2c3D4e5F6g7H8i9J0/in;sid=7?x=1";
	assert_int_equal(ses_url_parse(bytes_of_str(asked.url_text), &asked.url,
				       &fault, &at),
			 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make(rows[i].change, rows[i].value);
		if (has("a1B2") != rows[i].kept || has("sid=7") != rows[i].kept)
			fail_msg("%zu: %s", i, sent);
		if (!rows[i].kept)
			assert_true(has("GET /ws/withheld/withheld?x=1 HTTP"));
	}
}

TEST("elsewhere goes no field that may be a key, whatever its name is")
{
	static const struct doctor_header vendors[] = {
		{(char *)"Ocp-Apim-Subscription-Key", (char *)"one-s3cret"},
		{(char *)"X-Auth", (char *)"two-s3cret"},
		{(char *)"x-functions-key", (char *)"three-s3cret"},
		{(char *)"X-Tenant-Whatever", (char *)"four-s3cret"},
		{(char *)"Accept-Language", (char *)"de"},
		{(char *)"Sec-Fetch-Mode", (char *)"websocket"},
	};

	set_up();
	set_url("ws://h/c?room=1&subscription-key=s3cret&"
		"x=Zm9vYmFyYmF6MTIzNDU2Nzg5&y=room-of-the-general-public-1");
	memcpy(asked.header, vendors, sizeof(vendors));
	asked.n_headers = ARRAY_LEN(vendors);
	make(DOCTOR_PORT, "9000");
	assert_false(has("s3cret") || has("Zm9v"));
	assert_true(has("GET /c?room=1&y=room-of-the-general-public-1 HTTP"));
	assert_true(has("Accept-Language: de\r\n"));
	assert_true(has("Sec-Fetch-Mode: websocket\r\n"));
	make(DOCTOR_NO_CREDENTIALS, "");
	assert_true(has("four-s3cret"));
	assert_false(has("one-s3cret") || has("two-s3cret") ||
		     has("three-s3cret"));
}

TEST("who verifies nothing on purpose keeps the credentials, too")
{
	set_up();
	asked.insecure = true;
	make(DOCTOR_INSECURE, "");
	assert_true(has_secret());
	assert_true(request.tls.insecure);
}

TEST("the user's own handshake fields replace the usual ones")
{
	set_up();
	asked.header[0] = (struct doctor_header){
		(char *)"Sec-WebSocket-Version", (char *)"8"};
	asked.header[1] = (struct doctor_header){(char *)"upgrade", (char *)""};
	asked.header[2] = (struct doctor_header){(char *)"Connection",
						 (char *)"keep-alive"};
	make(DOCTOR_NOTHING, "");
	assert_true(has("\r\nSec-WebSocket-Version: 8\r\n"));
	assert_false(has("Version: 13"));
	assert_false(has("Upgrade: "));
	assert_true(has("\r\nConnection: keep-alive\r\n"));
	make(DOCTOR_VERSION, "13");
	assert_true(has("\r\nSec-WebSocket-Version: 13\r\n"));
	make(DOCTOR_MINIMAL, "");
	assert_true(has("\r\nUpgrade: websocket\r\n"));
}

TEST("trials of the way change the way and not the request")
{
	set_up();
	make(DOCTOR_DIRECT, "");
	assert_null(request.dial.proxy);
	make(DOCTOR_FAMILY, "6");
	assert_int_equal(request.dial.family, 6);
	make(DOCTOR_SOURCE, "127.0.0.9");
	assert_string_equal(request.dial.source, "127.0.0.9");
	make(DOCTOR_SCHEME, "ws");
	assert_false(request.url.tls);
	assert_int_equal(request.dial.port, 8443);
	make(DOCTOR_TLS_VERSION, "1.1");
	assert_int_equal(request.tls.max_version, 11);
	assert_int_equal(request.tls.min_version, 10);
	make(DOCTOR_PORT, "9000");
	assert_int_equal(request.dial.port, 9000);
	assert_true(bytes_equal_str(request.dial.host, "h"));
}

TEST("the other scheme has its own port, unless one was given")
{
	set_up();
	set_url("ws://h/chat");
	make(DOCTOR_SCHEME, "wss");
	assert_int_equal(request.dial.port, 443);
	assert_true(has("\r\nHost: h\r\n"));
	set_url("ws://h:8080/chat");
	make(DOCTOR_SCHEME, "wss");
	assert_int_equal(request.dial.port, 8080);
}

TEST("this machine is reached over the other family by its other address")
{
	set_up();
	set_url("ws://127.0.0.1:81/");
	make(DOCTOR_FAMILY, "6");
	assert_string_equal(request.dial.connect_host, "::1");
	assert_true(has("\r\nHost: 127.0.0.1:81\r\n"));
	make(DOCTOR_FAMILY, "4");
	assert_null(request.dial.connect_host);
	set_url("ws://[::1]:81/");
	make(DOCTOR_FAMILY, "4");
	assert_string_equal(request.dial.connect_host, "127.0.0.1");
	set_url("ws://192.0.2.1:81/");
	make(DOCTOR_FAMILY, "6");
	assert_null(request.dial.connect_host);
}

TEST("a value that would break out of its field is not sent")
{
	set_up();
	trial.change = DOCTOR_ORIGIN;
	strcpy(trial.value, "http://h\r\nX: y");
	assert_true(doctor_request_make(&asked, &trial, &request) < 0);
	assert_int_equal(ses_buf_len(&request.bytes), 0);
	doctor_request_fini(&request);
}

TEST("polling is asked with the user's own parameters, and no session")
{
	set_up();
	asked.url_text = (char *)"ws://h/socket.io/?EIO=3&room=1&"
				 "transport=websocket&sid=old";
	enum ses_url_fault fault;
	size_t at;

	ses_url_parse(bytes_of_str(asked.url_text), &asked.url, &fault, &at);
	make(DOCTOR_POLLING, "once");
	assert_true(has("GET /socket.io/?EIO=3&room=1&transport=polling HTTP"));
	assert_false(has("Upgrade"));
	assert_true(has("sid=c00kie")); /* the user's own cookie */
	make(DOCTOR_SESSION, "Ab-1 node=n7");
	assert_true(has("?EIO=3&room=1&transport=websocket&sid=Ab-1 HTTP"));
	assert_true(has("Cookie: sid=c00kie; node=n7\r\n"));
	asked.n_headers = 0;
	make(DOCTOR_SESSION, "Ab-1 node=n7");
	assert_true(has("Cookie: node=n7\r\n"));
	make(DOCTOR_SESSION, "Ab-1");
	assert_false(has("Cookie"));
}

TEST("a preflight is what a browser would send")
{
	set_up();
	make(DOCTOR_PREFLIGHT, "https://a.example");
	assert_true(has("OPTIONS /chat?room=1 HTTP/1.1\r\n"));
	assert_true(has("Origin: https://a.example\r\n"));
	assert_true(has("Access-Control-Request-Method: GET\r\n"));
	assert_false(has("c00kie") || has("t0ken") || has("k3y-of-ann"));
	assert_false(has("Sec-WebSocket"));
}

TEST("a page gets credentials only where the URL itself is")
{
	static const struct {
		const char *page;
		bool own;
	} rows[] = {
		{"https://h:8443/app", true},
		{"https://H:8443/", true},
		{"http://h:8443/app", false},
		{"https://h/app", false},
		{"https://h.example:8443/", false},
		{"https://h:8443@evil.example/", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		set_up();
		make(DOCTOR_PAGE, rows[i].page);
		if (has("c00kie") != rows[i].own ||
		    has("k3y-of-ann") != rows[i].own)
			fail_msg("%s", rows[i].page);
		assert_false(has("Origin:"));
		assert_false(has("Upgrade"));
	}
}

TEST("beside a Host of its own, the URL's page is another site and gets none")
{
	set_up();
	asked.host = (char *)"inner.example";
	make(DOCTOR_PAGE, "https://h:8443/app");
	assert_true(has("Host: h:8443\r\n"));
	assert_false(has("c00kie") || has("k3y-of-ann"));
}

TEST("a backend gets the request as it is, and the Host that is tried")
{
	set_up();
	asked.backend = (char *)"http://127.0.0.1:3000";
	make(DOCTOR_BACKEND, "h:8443");
	assert_true(
		has("GET /chat?room=1&token=qt0ken HTTP/1.1\r\nHost: h:8443"));
	assert_true(has("Cookie: sid=c00kie"));
	trial.change = DOCTOR_BACKEND;
	assert_int_equal(doctor_request_make(&asked, &trial, &request), 0);
	assert_int_equal(request.dial.port, 3000);
	assert_false(request.url.tls);
	assert_null(request.dial.proxy);
	doctor_request_fini(&request);
	asked.backend = (char *)"ws://127.0.0.1:3000/other";
	make(DOCTOR_BACKEND, "127.0.0.1:3000");
	assert_true(has("GET /other HTTP/1.1\r\n"));
}

TEST("the site's page is asked for as one, and nothing else is")
{
	set_up();
	make(DOCTOR_PLAIN_GET_PATH, "/");
	assert_true(has("\r\nAccept: text/html,"));
	make(DOCTOR_PLAIN_GET_PATH, "/app.js");
	assert_false(has("\r\nAccept:"));
	make(DOCTOR_NOTHING, "");
	assert_false(has("\r\nAccept:"));
	asked.header[3] = (struct doctor_header){(char *)"Accept",
						 (char *)"application/json"};
	make(DOCTOR_PLAIN_GET_PATH, "/");
	assert_true(has("\r\nAccept: application/json\r\n"));
	assert_false(has("text/html"));
}

TEST("another path has the very query, and a mended query the very path")
{
	enum ses_url_fault fault;
	size_t at;

	set_up();
	asked.url_text = (char *)"wss://h:8443/chat?room=7&amp;device=tv;x";
	ses_url_parse(bytes_of_str(asked.url_text), &asked.url, &fault, &at);
	make(DOCTOR_PATH, "/other");
	assert_true(has("GET /other?room=7&amp;device=tv;x HTTP"));
	make(DOCTOR_PARAMETER, "&device=");
	assert_true(has("GET /chat?room=7&device=tv;x HTTP"));
	asked.url_text = (char *)"wss://h:8443/chat?token=qt0ken;room=7;x=1";
	ses_url_parse(bytes_of_str(asked.url_text), &asked.url, &fault, &at);
	make(DOCTOR_PATH, "/other");
	assert_true(has("GET /other?room=7;x=1 HTTP"));
}
