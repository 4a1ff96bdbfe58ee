/* SPDX-License-Identifier: MIT */
/*
 * Habits: what the bare answers of particular software mean, what words about a
 * name or a parameter tell, and which subprotocols are tried because of whom.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/harvest.h"

#define BARE	"\n\n"
#define COWBOY	"Server: Cowboy\nContent-Length: 0\n\n"
#define TEXT(s) "Content-Type: text/plain\n\n" s
#define LWS                                                                 \
	"HTTP/1.1 403 Forbidden\n\n<html><head><meta charset=utf-8 "        \
	"http-equiv=\"Content-Language\" content=\"en\"/><link "            \
	"rel=\"stylesheet\" type=\"text/css\" href=\"/error.css\"/></head>" \
	"<body><h1>403</h1></body></html>"

TEST("gorilla's bare 403 is about the Origin")
{
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/ws",
		.origin = "http://127.0.0.1:8080",
		.answer = "HTTP/1.1 403 Forbidden\nSec-Websocket-Version: 13\n"
			  "Content-Type: text/plain; charset=utf-8\n"
			  "X-Content-Type-Options: nosniff\n\n"
			  "Forbidden\n"};
	struct bed b;

	bed_examine(&b, &p);
	assert_non_null(doctor_found(&b.chart, DOCTOR_F_GORILLA_OWN_403));
	assert_int_equal(b.verdict.cause, WHY_SERVER_PROXY_HOST);
	bed_strip(&b);
}

TEST("the subprotocol that a refusal names is the first to be offered")
{
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/ws",
		.answer = "HTTP/1.1 403 client does not support 'binary' "
			  "protocol\nContent-Type: text/html\n\n"
			  "<html lang=\"en\"><meta charset=\"utf-8\">"
			  "<h1>Error</h1></html>"};
	const struct doctor_trial as_given = {.change = DOCTOR_NOTHING};
	struct doctor_values v = {.n = 0};
	struct bed b;

	bed_make(&b, &p);
	bed_probe(&b, &p, &as_given);
	doctor_harvest_subprotocols(&b.chart, &v);
	assert_int_equal(v.n_told, 1);
	assert_string_equal(v.value[0], "binary");
	bed_strip(&b);
}

TEST("each habit leads to its cause")
{
	static const struct patient rows[] = {
		{.name = "a redirect to the path that serves it",
		 .url = "ws://a.example/ws",
		 .answer = "HTTP/1.1 308 Moved\nLocation: /v2/ws\n\n",
		 .answers = {{DOCTOR_PATH, "/v2/ws", "@open"},
			     {DOCTOR_PATH, NULL, "HTTP/1.1 404 N\n\n"}},
		 .cause = "server.redirect",
		 .at_least = 0.9},
		{.name = "Cowboy's 400 for every path",
		 .url = "ws://a.example/live",
		 .answer = "HTTP/1.1 400 Bad Request\n" COWBOY,
		 .cause = "access.host",
		 .at_least = 0.6},
		{.name = "Cowboy's 400 for one path",
		 .url = "ws://a.example/live",
		 .answer = "HTTP/1.1 400 Bad Request\nContent-Length: 0\n\n",
		 .answers = {{DOCTOR_PATH, NULL,
			      "HTTP/1.1 404 Not Found\n" COWBOY}},
		 .cause = "url.query",
		 .at_least = 0.4},
		{.name = "a parameter that Phoenix's clients send",
		 .url = "ws://a.example/live/websocket",
		 .answer = "HTTP/1.1 400 Bad Request\nContent-Length: 0\n\n",
		 .answers = {{DOCTOR_PARAMETER, "vsn=2.0.0", "@open"},
			     {DOCTOR_PATH, NULL,
			      "HTTP/1.1 404 Not Found\n" COWBOY}},
		 .cause = "url.query",
		 .at_least = 0.9},
		{.name = "GoAccess and a foreign Origin",
		 .url = "ws://a.example/",
		 .origin = "https://b.example",
		 .answer = "HTTP/1.1 400 Invalid Request" BARE,
		 .cause = "access.origin",
		 .at_least = 0.7},
		{.name = "GoAccess and no Origin",
		 .url = "ws://a.example/",
		 .answer = "HTTP/1.1 400 Invalid Request" BARE,
		 .cause = "access.origin-missing",
		 .at_least = 0.5},
		{.name = "an Upgrade that failed",
		 .url = "ws://a.example/",
		 .answer = "HTTP/1.1 500 Internal Server Error\n" TEXT(
			 "Upgrade failed :("),
		 .cause = "server.proxy-upgrade",
		 .at_least = 0.4},
		{.name = "an empty 501 behind a proxy",
		 .url = "ws://a.example/",
		 .answer = "HTTP/1.1 501 Not Implemented\nServer: "
			   "nginx/1.22.1\nContent-Length: 0\n\n",
		 .cause = "server.proxy-upgrade",
		 .at_least = 0.6},
		{.name = "a room that is not there",
		 .url = "ws://a.example/chat/random",
		 .answer = "HTTP/1.1 400 Bad Request\n" TEXT("No such room"),
		 .cause = "url.path",
		 .at_least = 0.35,
		 .at_most = 0.8},
		{.name = "a document that is not there, after the 101",
		 .url = "ws://a.example/edit",
		 .answer = "@close 1008 document not found",
		 .cause = "server.app-rejected",
		 .at_least = 0.5},
		{.name = "a limit of sessions",
		 .url = "ws://a.example/",
		 .answer = "@close 1008 session limit",
		 .cause = "server.limit",
		 .at_least = 0.5},
		{.name = "a reason of its own",
		 .url = "ws://a.example/",
		 .answer = "@close 1008 the daily show is over",
		 .cause = "server.app-rejected",
		 .at_least = 0.4},
		{.name = "another scheme of credentials",
		 .url = "ws://a.example/",
		 .header = "Authorization: Bearer abc",
		 .answer =
			 "HTTP/1.1 400 Bad Request\n" TEXT("400: Bad Request!"),
		 .answers = {{DOCTOR_NO_CREDENTIALS, NULL,
			      "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: "
			      "Basic realm=\"x\"\n\n"}},
		 .cause = "access.credentials",
		 .at_least = 0.6},
		{.name = "the right subprotocol, and a parameter that lacks",
		 .url = "ws://a.example/?roomId=r1",
		 .subprotocols = "protoo",
		 .answer = "HTTP/1.1 400 Bad Request\n"
			   "X-WebSocket-Reject-Reason: Connection request "
			   "without roomId and/or peerId\n\n",
		 .answers = {{DOCTOR_SUBPROTOCOL, NULL,
			      "HTTP/1.1 403 Forbidden\n"
			      "X-WebSocket-Reject-Reason: invalid/missing "
			      "Sec-WebSocket-Protocol\n\n"},
			     {DOCTOR_NO_SUBPROTOCOL, NULL,
			      "HTTP/1.1 403 Forbidden\n"
			      "X-WebSocket-Reject-Reason: invalid/missing "
			      "Sec-WebSocket-Protocol\n\n"}},
		 .cause = "url.query",
		 .at_least = 0.6},
		{.name = "the next version of a subprotocol",
		 .url = "ws://a.example/b",
		 .subprotocols = "board.v1",
		 .answer = "HTTP/1.1 500 Internal Server Error\n" TEXT(
			 "Internal Server Error"),
		 .answers = {{DOCTOR_SUBPROTOCOL, "board.v2", "@open board.v2"}},
		 .cause = "server.subprotocol",
		 .at_least = 0.9},
		{.name = "the other end of a scalability protocol",
		 .url = "ws://a.example/bus",
		 .subprotocols = "sub.sp.nanomsg.org",
		 .answer = "HTTP/1.1 400 Bad Request" BARE,
		 .answers = {{DOCTOR_SUBPROTOCOL, "pub.sp.nanomsg.org",
			      "@open pub.sp.nanomsg.org"}},
		 .cause = "server.subprotocol",
		 .at_least = 0.9},
		{.name = "libwebsockets and a list that is short enough",
		 .url = "ws://a.example/",
		 .answer = "@closed",
		 .answers = {{DOCTOR_PLAIN_GET, NULL, LWS},
			     {DOCTOR_PLAIN_GET_PATH, NULL, LWS},
			     {DOCTOR_SUBPROTOCOL,
			      "janus-protocol, tty, mqtt, binary, chat, "
			      "graphql-transport-ws, graphql-ws, v12.stomp, "
			      "actioncable-v1-json, ocpp1.6",
			      "@open janus-protocol"}},
		 .cause = "server.subprotocol",
		 .at_least = 0.9},
		{.name = "a query that makes it another target",
		 .url = "ws://a.example/ws?token=abc",
		 .answer = "HTTP/1.1 404 Not Found" BARE,
		 .answers = {{DOCTOR_NO_QUERY, NULL, "@open"},
			     {DOCTOR_NO_CREDENTIALS, NULL, "@open"}},
		 .cause = "url.query",
		 .at_least = 0.6},
		{.name = "a 400 that is written to the socket",
		 .url = "ws://a.example/",
		 .answer = "HTTP/1.1 400 Bad Request" BARE,
		 .answers = {{DOCTOR_PLAIN_GET, NULL,
			      "HTTP/1.1 200 OK\nContent-Length: 7\n\nRunning"},
			     {DOCTOR_PLAIN_GET_PATH, NULL,
			      "HTTP/1.1 200 OK\nContent-Length: 7\n\nRunning"}},
		 .cause = "url.path",
		 .at_least = 0.3},
		{.name = "a bad request behind a proxy, asked either way",
		 .url = "ws://a.example/ticks",
		 .answer = "HTTP/1.1 400 Bad Request\nServer: "
			   "nginx/1.22.1\nContent-Length: 0\n\n",
		 .answers = {{DOCTOR_PATH, NULL,
			      "HTTP/1.1 404 Not Found\nServer: "
			      "nginx/1.22.1\nContent-Length: 0\n\n"}},
		 .cause = "server.proxy-upgrade",
		 .at_least = 0.8},
		{.name = "Sails and no Origin",
		 .url = "ws://a.example/socket.io/"
			"?EIO=4&transport=websocket&__sails_io_sdk_version=1",
		 .answer = "HTTP/1.1 400 Bad Request\n" TEXT("Bad request"),
		 .answers = {{DOCTOR_POLLING, NULL,
			      "HTTP/1.1 400 Bad Request\nContent-Type: "
			      "application/json\n\n{\"code\":3,\"message\":"
			      "\"Bad request\"}"}},
		 .cause = "access.origin-missing",
		 .at_least = 0.4},
		{.name = "an Origin without the token of Vite's page",
		 .url = "ws://a.example/",
		 .origin = "http://a.example",
		 .subprotocols = "vite-hmr",
		 .answer = "HTTP/1.1 400 Bad Request\n" TEXT("Bad Request"),
		 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open vite-hmr"}},
		 .cause = "url.query",
		 .at_least = 0.9},
		{.name = "an Origin with the token of another start of Vite's",
		 .url = "ws://a.example/?token=abc",
		 .origin = "http://a.example",
		 .subprotocols = "vite-hmr",
		 .answer = "HTTP/1.1 400 Bad Request\n" TEXT("Bad Request"),
		 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open vite-hmr"}},
		 .cause = "url.query",
		 .at_least = 0.8},
		{.name = "nobody is signed in at MeshCentral",
		 .url = "ws://a.example/control.ashx",
		 .answer = "@close 1008 noauth",
		 .cause = "access.credentials",
		 .at_least = 0.6},
	};
	static struct bed b;
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient *p = &rows[i];
		const char *cause;
		double sure;

		bed_examine(&b, p);
		cause = why_cause(b.verdict.cause)->id;
		sure = b.verdict.confidence;
		if (strcmp(cause, p->cause) != 0 || sure < p->at_least ||
		    (p->at_most > 0 && sure > p->at_most)) {
			print_error("%s: %s %.3f\n", p->name, cause, sure);
			wrong++;
		}
		bed_strip(&b);
	}
	assert_int_equal(wrong, 0);
}

/* Whether @answer to the request as given has the finding. */
static bool is_found_in(const char *answer, bool blind,
			enum doctor_finding_kind kind)
{
	const struct patient p = {.url = "ws://a.example/ws", .answer = answer};
	const struct doctor_trial as_given = {.change = DOCTOR_NOTHING};
	struct bed b;
	bool found;

	bed_make(&b, &p);
	b.chart.blind = blind;
	bed_probe(&b, &p, &as_given);
	found = doctor_found(&b.chart, kind) != NULL;
	bed_strip(&b);
	return found;
}

TEST("what one software alone writes so is known by its form, and by no less")
{
#define NGINX_PAGE "Server: nginx\n\n<html><hr><center>nginx</center></html>"
#define SMALL	   "Content-Length: 0\n\n"
	static const struct {
		enum doctor_finding_kind kind;
		const char *answer, *other; /* which is almost like it */
	} rows[] = {
		{DOCTOR_F_EMPTY_ENVOY,
		 "HTTP/1.1 403 Forbidden\nServer: envoy\n" SMALL,
		 "HTTP/1.1 403 Forbidden\nServer: envoy\n\n "},
		{DOCTOR_F_EMPTY_ENVOY,
		 "HTTP/1.1 403 Forbidden\nServer: istio-envoy\n" SMALL,
		 "HTTP/1.1 403 Forbidden\nServer: other\n" SMALL},
		{DOCTOR_F_ACTIONCABLE_404,
		 "HTTP/1.1 404 Not Found\n\nPage not found",
		 "HTTP/1.1 404 Not Found\n\nPage not found."},
		{DOCTOR_F_EMPTY_CADDY, "HTTP/1.1 200 OK\nServer: Caddy\n" SMALL,
		 "HTTP/1.1 200 OK\nServer: Caddy\n\nhello"},
		{DOCTOR_F_NGINX_503, "HTTP/1.1 503 Busy\n" NGINX_PAGE,
		 "HTTP/1.1 502 Bad Gateway\n" NGINX_PAGE},
		{DOCTOR_F_NGINX_503,
		 "HTTP/1.1 503 Busy\nServer: openresty\n\n"
		 "<center><h1>503</h1></center>",
		 "HTTP/1.1 503 Busy\nServer: other\n\n"
		 "<center><h1>503</h1></center>"},
		{DOCTOR_F_WEBSOCKETD_429,
		 "HTTP/1.1 429 Too Many Requests\nX-Content-Type-Options: "
		 "nosniff\n\n429 Too Many Requests",
		 "HTTP/1.1 429 Too Many Requests\n\nslow down"},
		{DOCTOR_F_NGINX_500, "HTTP/1.1 500 Error\n" NGINX_PAGE,
		 "HTTP/1.1 500 Error\n\n<html>nginx</html>"},
		{DOCTOR_F_HOME_ASSISTANT_400,
		 "HTTP/1.1 400 Bad Request\n\n400: Bad Request",
		 "HTTP/1.1 400 Bad Request\n\n400 Bad Request"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!is_found_in(rows[i].answer, false, rows[i].kind))
			fail_msg("not found: %s", rows[i].answer);
		if (is_found_in(rows[i].other, false, rows[i].kind))
			fail_msg("found: %s", rows[i].other);
		if (is_found_in(rows[i].answer, true, rows[i].kind))
			fail_msg("found blindly: %s", rows[i].answer);
	}
#undef NGINX_PAGE
#undef SMALL
}

TEST("a parameter of the query that a refusal names is what it is about")
{
	static const struct {
		const char *says;
		bool named;
	} rows[] = {
		{"depth: expected a number", true},
		{"a number is expected", false},
		{"in-depth study", true},
		{"depthless", false},
		{"bad token for depth", false}, /* that says why */
	};
	static struct bed b;
	char answer[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {.url = "ws://h/live?depth=x&id=1"};
		struct doctor_trial nothing = {.change = DOCTOR_NOTHING};

		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 400 Bad Request\n" TEXT("%s"), rows[i].says);
		p.answer = answer;
		bed_make(&b, &p);
		bed_probe(&b, &p, &nothing);
		if (!!doctor_found(&b.chart, DOCTOR_F_SAYS_QUERY) !=
		    rows[i].named)
			fail_msg("%s", rows[i].says);
		bed_strip(&b);
	}
}

TEST("software that its page names has its WebSocket where it always has it")
{
	static const struct {
		const char *page, *path;
	} rows[] = {
		{"<main data-phx-main id=x>", "/live/websocket"},
		{"<script src=\"shiny.min.js\"></script>", "/websocket/"},
		{"<script src=\"_framework/blazor.server.js\">", "/_blazor"},
		{"<script src=\"/_next/static/a.js\">", "/_next/hmr"},
		{"<script>__meteor_runtime_config__ = {}", "/websocket"},
	};
	static struct bed b;
	char page[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {
			.url = "ws://a.example/sockets",
			.answer = "HTTP/1.1 404 Not Found\nContent-Length: "
				  "0\n\n",
			.answers = {{DOCTOR_PLAIN_GET_PATH, NULL, page},
				    {DOCTOR_PATH, rows[i].path, "@open"}}};

		snprintf(page, sizeof(page),
			 "HTTP/1.1 200 OK\nContent-Type: text/html\n\n%s",
			 rows[i].page);
		bed_examine(&b, &p);
		assert_int_equal(b.verdict.cause, WHY_URL_PATH);
		assert_true(b.verdict.confidence > 0.9);
		bed_strip(&b);
	}
}

TEST("a page of a service's state leads to a port beside it, and to no other site")
{
	const struct patient p = {
		.url = "ws://127.0.0.1:8222/",
		.answer = "HTTP/1.1 200 OK\nContent-Type: text/html\n\n"
			  "<link rel=icon href=https://nats.io/favicon.ico>"
			  "<a href=https://docs.nats.io/help>Help</a>",
		.answers = {{DOCTOR_PATH, NULL, "HTTP/1.1 404 Not Found\n\n"},
			    {DOCTOR_PORT, "8223", "@open"},
			    {DOCTOR_PORT, NULL, "@refused"}}};
	static struct bed b;

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_URL_PORT);
	assert_true(b.verdict.confidence > 0.9);
	for (size_t i = 0; i < b.chart.n_probes; i++)
		assert_null(strstr(b.chart.probe[i]->trial.value, "nats.io"));
	bed_strip(&b);
}

TEST("a page leads to names of its own domain alone, a refusal to any")
{
	static const struct {
		const char *status, *host;
		bool asked;
	} rows[] = {
		{"200 OK", "live.shop.example", true},
		{"200 OK", "maker.example", false},
		{"404 Not Found", "maker.example", true},
	};
	static struct bed b;
	char answer[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct patient p = {.url = "ws://www.shop.example/chat"};
		struct doctor_values v = {.n = 0};
		const struct doctor_trial as_given = {.change = DOCTOR_NOTHING};

		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 %s\n\n<a href=http://%s/>", rows[i].status,
			 rows[i].host);
		p.answer = answer;
		bed_make(&b, &p);
		bed_probe(&b, &p, &as_given);
		doctor_harvest_hosts(&b.chart, &v);
		assert_int_equal(v.n > 0 && strcmp(v.value[0], rows[i].host) == 0,
				 rows[i].asked);
		bed_strip(&b);
	}
}

TEST("a server met by its address has the names that its pages have at its port")
{
	static const struct patient p = {
		.url = "ws://192.0.2.7:8080/pad",
		.answer = "HTTP/1.1 404 Not Found\nContent-Type: text/html\n\n"
			  "<h2>404 Not Found</h2>",
		.answers = {{DOCTOR_HOST, "notes.team.example:8080", "@open"},
			    {DOCTOR_PLAIN_GET_PATH, "/",
			     "HTTP/1.1 200 OK\nContent-Type: text/html\n\n"
			     "<a href=\"http://maker.example/\">by</a>"
			     "<a href=\"http://notes.team.example:8080/\">"
			     "notes</a>"}}};
	static struct bed b;

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_URL_HOST);
	assert_true(b.verdict.confidence > 0.9);
	for (size_t i = 0; i < b.chart.n_probes; i++)
		assert_null(strstr(b.chart.probe[i]->trial.value, "maker"));
	bed_strip(&b);
}

TEST("a bare 403 to a foreign Origin is of its list before it is of a password")
{
	static const struct patient p = {
		.url = "ws://192.0.2.7:8080/relay",
		.origin = "https://page.example",
		.answer = "HTTP/1.1 403 Forbidden\n\n",
		.answers = {{DOCTOR_PATH, NULL, "@silent"},
			    {DOCTOR_PLAIN_GET, NULL, "@silent"},
			    {DOCTOR_PLAIN_GET_PATH, NULL, "@silent"},
			    {DOCTOR_PREFLIGHT, NULL, "@silent"}}};
	static struct bed b;

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_ORIGIN);
	assert_true(b.verdict.confidence > 0.5);
	bed_strip(&b);
}
