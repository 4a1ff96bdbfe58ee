/* SPDX-License-Identifier: MIT */
/*
 * Refusals that give their reason: the same sentence leads to the same cause,
 * whichever code or status comes with it, and whoever it was said to.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/said.h"

#define URL   "ws://chat.example/live"
#define EMPTY "HTTP/1.1 403 Forbidden\nContent-Length: 0\n\n"
#define TEXT  "Content-Type: text/plain\n\n"
#define GATE                                                                   \
	"Content-Type: text/html\n\n<html><title>Making sure you are not a "   \
	"bot!</title>Your browser is being checked. Please enable JavaScript " \
	"to solve the challenge.</html>"
#define TRACEBACK                                                             \
	"Content-Type: text/html\n\n<html><h2>500 Internal Server Error</h2>" \
	"<pre id=\"traceback\">Traceback (most recent call last):\n"          \
	"  File \"/srv/app.py\", line 5, in upgrade\n    raise "              \
	"HandshakeError(name)\n"

static void examine(const struct patient *patient, const char *cause,
		    double at_least)
{
	static struct bed b;
	const char *found;

	bed_examine(&b, patient);
	found = why_cause(b.verdict.cause)->id;
	if (strcmp(found, cause) != 0 || b.verdict.confidence < at_least)
		fail_msg("%s: %s %.2f, not %s", patient->answer, found,
			 b.verdict.confidence, cause);
	bed_strip(&b);
}

TEST("a reason is the same under each code that an application closes with")
{
	static const struct {
		const char *reason, *cause;
	} rows[] = {
		{"Rate limited.", "access.rate"},
		{"Slow down", "access.rate"},
		{"You are doing that too often", "access.rate"},
		{"Too many messages", "access.rate"},
		{"Server is full", "server.limit"},
		{"Access from 192.0.2.7 denied", "access.ip"},
		{"Not on the allow list", "access.ip"},
		{"No channel given", "url.query"},
		{"Your session is no longer valid", "access.credentials"},
		{"Missing permission", "access.permission"},
		{"Unsupported subprotocol", "server.subprotocol"},
		{"No such path", "url.path"},
	};
	static const int codes[] = {1000, 1008, 4000, 4008, 4999};
	char answer[100];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t k = 0; k < ARRAY_LEN(codes); k++) {
			const struct patient p = {.url = URL, .answer = answer};

			snprintf(answer, sizeof(answer), "@close %d %s",
				 codes[k], rows[i].reason);
			examine(&p, rows[i].cause, 0.75);
		}
}

/* In German, French, Spanish, Portuguese, Chinese, Japanese and Russian. */
static const struct {
	const char *cause, *said[7];
} tongues[] = {
	{"access.credentials",
	 {"Die Anmeldung ist leider abgelaufen: Sitzung abgelaufen",
	  "Vous devez être connecté pour continuer",
	  "Contraseña incorrecta", "Faça login para continuar",
	  "您尚未登录", "再度ログインが必要です", "Сначала войдите"}},
	{"access.ip",
	 {"Deine IP wurde gesperrt", "Votre IP est bloquée",
	  "Tu dirección IP no está autorizada", "Seu IP está bloqueado",
	  "当前IP不在白名单", "接続元IPは許可されていません",
	  "Ваш IP находится в чёрном списке"}},
	{"access.rate",
	 {"Zu viele Zugriffe", "Trop de tentatives, patientez",
	  "Demasiados intentos", "Muitas requisições", "操作频繁，休息一下",
	  "リクエストが多すぎます", "Вы пишете слишком часто"}},
	{"server.limit",
	 {"Der Server ist überlastet", "Serveur plein", "Servidor lleno",
	  "Servidor cheio", "房间已满", "ただいま混雑しています",
	  "Сервер перегружен"}},
	{"access.permission",
	 {"Dafür haben Sie keine Berechtigung", "Droits insuffisants",
	  "Sin permiso", "Permissão negada", "权限不足", "権限がないため",
	  "Нет прав на канал"}},
};

TEST("a reason is the same in every language")
{
	char close[200], body[300];

	for (size_t i = 0; i < ARRAY_LEN(tongues); i++)
		for (size_t k = 0; k < 7; k++) {
			const char *said = tongues[i].said[k];
			const struct patient closed = {.url = URL,
						       .answer = close};
			const struct patient told = {.url = URL,
						     .answer = body};

			snprintf(close, sizeof(close), "@close 1008 %s", said);
			snprintf(body, sizeof(body),
				 "HTTP/1.1 403 Forbidden\n" TEXT "%s", said);
			examine(&closed, tongues[i].cause, 0.7);
			examine(&told, tongues[i].cause, 0.7);
		}
}

TEST("what is quoted in another language is told in English as well")
{
	static struct bed b;
	const struct patient p = {.url = URL,
				  .answer = "@close 1008 Trop de requêtes"};
	bool told = false;

	bed_examine(&b, &p);
	for (size_t i = 0; i < b.chart.n_findings; i++)
		told |= strstr(b.chart.finding[i].text,
			       "\"Trop de requêtes\" (too many requests)") !=
			NULL;
	assert_true(told);
	bed_strip(&b);
}

TEST("what is repeated of the request says nothing in any language")
{
	char request[] = "GET /wartung HTTP/1.1\r\nHost: chat.example\r\n\r\n";
	uint8_t body[] = "/wartung: nein", other[] = "Wartung: nein";
	struct doctor_probe p = {.outcome = DOCTOR_ANSWERED,
				 .status = 403,
				 .request = request,
				 .body = body,
				 .body_len = sizeof(body) - 1};

	assert_false(doctor_says(&p, DOCTOR_F_SAYS_MAINTENANCE));
	p.body = other;
	p.body_len = sizeof(other) - 1;
	p.request = NULL;
	assert_true(doctor_says(&p, DOCTOR_F_SAYS_MAINTENANCE));
}

TEST("what belongs into the server's log stays there, whatever is said")
{
	static const struct {
		const char *answer, *cause;
	} rows[] = {
		{"@close 4000 gone fishing", "server.app-rejected"},
		{"@close 1011 down for maintenance", "server.app-rejected"},
		{"@close 1011 database unavailable", "server.backend-down"},
		{"HTTP/1.1 500 Internal Server Error\n" TEXT
		 "connect ECONNREFUSED 127.0.0.1:3000",
		 "server.backend-down"},
		{"HTTP/1.1 500 Internal Server Error\n" TEXT "list index",
		 "server.app-rejected"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {.url = URL, .answer = rows[i].answer};

		examine(&p, rows[i].cause, 0.5);
	}
}

TEST("an error that says why in a sentence is what it says")
{
	static const struct {
		const char *answer, *cause;
	} rows[] = {
		{"HTTP/1.1 500 Internal Server Error\n" TEXT
		 "Rate limit exceeded",
		 "access.rate"},
		{"HTTP/1.1 500 Internal Server Error\n" TEXT
		 "Access from 192.0.2.7 denied",
		 "access.ip"},
		{"HTTP/1.1 500 Internal Server Error\n" TRACEBACK
		 "ws4py.exc.HandshakeError: Header Upgrade is not "
		 "defined\n</pre></html>",
		 "server.proxy-upgrade"},
		{"HTTP/1.1 500 Internal Server Error\n" TRACEBACK
		 "KeyError: 'HTTP_UPGRADE'\n</pre></html>",
		 "server.proxy-upgrade"},
		{"HTTP/1.1 500 Internal Server Error\n"
		 "X-WebSocket-Reject-Reason: Unable to determine tunnel "
		 "target\nContent-Length: 0\n\n",
		 "url.query"},
		{"HTTP/1.1 403 Forbidden\n" GATE, "access.waf"},
		{"HTTP/1.1 503 Service Unavailable\n" GATE, "access.waf"},
		{"HTTP/1.1 200 OK\n" GATE, "access.waf"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {.url = URL, .answer = rows[i].answer};

		examine(&p, rows[i].cause, 0.6);
	}
}

TEST("a ban that ends is for too many requests, one that does not is not")
{
	static const struct {
		const char *answer, *cause;
	} rows[] = {
		{"HTTP/1.1 418 I'm a Teapot\nRetry-After: 120\n" TEXT
		 "{\"code\":-1003,\"msg\":\"Way too much request weight used; "
		 "IP banned until 1795493732712.\"}",
		 "access.rate"},
		{"HTTP/1.1 418 I'm a Teapot\nRetry-After: 120\n" TEXT
		 "IP banned",
		 "access.rate"},
		{"HTTP/1.1 403 Forbidden\n" TEXT
		 "Your IP is banned until 2030-01-01T00:00:00Z",
		 "access.rate"},
		{"HTTP/1.1 400 Bad Request\n" TEXT "Too much bandwidth used",
		 "access.rate"},
		{"HTTP/1.1 403 Forbidden\n" TEXT "IP banned", "access.ip"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {.url = URL, .answer = rows[i].answer};

		examine(&p, rows[i].cause, 0.7);
	}
}

TEST("an empty refusal is for what a plain GET of the same status is told")
{
	static const struct {
		const char *get, *cause;
	} rows[] = {
		{"HTTP/1.1 403 Forbidden\n" TEXT
		 "Blocking access from 127.0.0.1",
		 "access.ip"},
		{"HTTP/1.1 403 Forbidden\n" TEXT "Your country is not served",
		 "access.ip"},
		{"HTTP/1.1 403 Forbidden\n" GATE, "access.waf"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {
			.url = URL,
			.answer = EMPTY,
			.answers = {{DOCTOR_PLAIN_GET, NULL, rows[i].get}}};

		examine(&p, rows[i].cause, 0.5);
	}
}

TEST("a page that merely needs JavaScript is no challenge")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 200 OK\nContent-Type: text/html\n\n<html>"
			  "<noscript>You need to enable JavaScript to run this "
			  "app.</noscript><div id=\"root\"></div></html>"};

	bed_examine(&b, &p);
	assert_int_not_equal(b.verdict.cause, WHY_ACCESS_WAF);
	bed_strip(&b);
}

TEST("an address is the client's where the sentence says so")
{
	static const struct {
		const char *text;
		int at;
	} rows[] = {
		{"Access from 192.0.2.7 denied", 12},
		{"blocked: client 2001:db8::7", 16},
		{"{\"error\":\"192.0.2.7 is not allowed\"}", 10},
		{"Your IP address: 192.0.2.7.", 17},
		{"192.0.2.7 has been banned", 0},
		{"host 192.0.2.7 is not allowed", -1},
		{"host address 192.0.2.7 is wrong", -1},
		{"connect ECONNREFUSED 192.0.2.7:3000", -1},
		{"could not connect to 192.0.2.7", -1},
		{"Origin http://192.0.2.7 is not allowed", -1},
		{"version 1.2.3.4.5 from 1.2.3", -1},
		{"an error from deadbeef", -1},
		{"", -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (doctor_said_address(bytes_of_str(rows[i].text)) != rows[i].at)
			fail_msg("%s: %d", rows[i].text,
				 (int)doctor_said_address(
					 bytes_of_str(rows[i].text)));
}

TEST("an id that is missed is known, and one that is unknown is not missed")
{
	static const char *const missed[] = {
		"boatId is required",	"Missing boat ID",
		"missing_boat_id",	"no slug given",
		"boat_id: not provided", "Missing or invalid boatId",
		"{\"error\":\"uuid is missing\"}"};
	static const char *const others[] = {
		"no such id",		   "no berth has that id",
		"boatId is not allowed",   "invalid boatId",
		"valid is required by all", "unknown uuid"};

	for (size_t i = 0; i < ARRAY_LEN(missed); i++)
		if (doctor_said_missing(bytes_of_str(missed[i])) < 0)
			fail_msg("missed: %s", missed[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (doctor_said_missing(bytes_of_str(others[i])) >= 0)
			fail_msg("not missed: %s", others[i]);
}

TEST("what a refusal is about is read in the words that programs have for it")
{
	static const struct {
		const char *answer, *cause;
		double at_least;
	} rows[] = {
		{"@close 1008 boatId required", "url.query", 0.75},
		{"@close 1003 Missing boat ID", "url.query", 0.75},
		{"@close 4000 licence key has expired", "access.credentials",
		 0.75},
		{"@close 4001 harbour master auth is required",
		 "access.credentials", 0.75},
		{"@told close {\"error\":\"you were signed out\"}",
		 "access.credentials", 0.75},
		{"@told open [\"CLOSED\",\"1\",\"auth-required: please log in\"]",
		 "access.credentials", 0.75},
		{"@close 4402 billing is required for tugs",
		 "access.permission", 0.75},
		{"HTTP/1.1 403 Forbidden\n" TEXT "Permissions needed: read:logs",
		 "access.permission", 0.6},
		{"HTTP/1.1 401 Unauthorized\n" TEXT
		 "the access token has not the required scope",
		 "access.permission", 0.6},
		{"HTTP/1.1 503 Service Unavailable\n" TEXT
		 "WebSocket is not configured",
		 "server.no-websocket", 0.6},
		/* the status says whose connections are too many */
		{"HTTP/1.1 429 Too Many Requests\n" TEXT "Too many connections",
		 "access.rate", 0.75},
		{"@close 4429 Too many connections", "access.rate", 0.7},
		{"@close 1013 Too many connections", "server.limit", 0.75},
		{"HTTP/1.1 503 Service Unavailable\n" TEXT
		 "Too many connections",
		 "server.limit", 0.7},
		{"@close 1013 the tide gauge is not ready",
		 "server.backend-down", 0.4},
		{"@close 4503 the tide gauge is not running",
		 "server.backend-down", 0.75},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {.url = URL, .answer = rows[i].answer};

		examine(&p, rows[i].cause, rows[i].at_least);
	}
}
