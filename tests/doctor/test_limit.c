/* SPDX-License-Identifier: MIT */
/*
 * A 429 is obeyed. Where nothing in it counts, and the User-Agent is one that
 * the user chose, one question is left, and what stays open is said.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL "ws://feed.example/ticks"
#define STOCK                                                    \
	"HTTP/1.1 429 Too Many Requests\nServer: nginx/1.22.1\n" \
	"Content-Type: text/html\n"
#define PAGE                                                              \
	"\n<html><head><title>429 Too Many Requests</title></head><body>" \
	"<center><h1>429 Too Many Requests</h1></center><hr><center>"     \
	"nginx/1.22.1</center></body></html>"
#define GO "Go-http-client/1.1"

static const struct {
	struct patient patient;
	enum why_cause cause;
	double at_least, at_most;
	size_t probes;
	bool agent_open; /* among the alternatives */
} rows[] = {
	{{.name = "a browser is let in, and the program once more not",
	  .url = URL,
	  .agent = GO,
	  .answer = STOCK PAGE,
	  .answers = {{DOCTOR_USER_AGENT, NULL, "@open"}}},
	 WHY_ACCESS_USER_AGENT,
	 0.8,
	 0.97,
	 3,
	 false},
	{{.name = "a browser is not let in either",
	  .url = URL,
	  .agent = GO,
	  .answer = STOCK PAGE},
	 WHY_ACCESS_RATE,
	 0.95,
	 1,
	 2,
	 false},
	{{.name = "a second later the program is let in as well",
	  .url = URL,
	  .agent = GO,
	  .answer = STOCK PAGE " >> @open",
	  .answers = {{DOCTOR_USER_AGENT, NULL, "@open"}}},
	 WHY_ACCESS_RATE,
	 0.5,
	 1,
	 3,
	 false},
	{{.name = "a browser of the user's",
	  .url = URL,
	  .agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101",
	  .answer = STOCK PAGE},
	 WHY_ACCESS_RATE,
	 0.97,
	 1,
	 1,
	 false},
	{{.name = "a User-Agent that nobody chose is not changed",
	  .url = URL,
	  .answer = STOCK PAGE},
	 WHY_ACCESS_RATE,
	 0.9,
	 0.97,
	 1,
	 true},
	{{.name = "Retry-After is obeyed",
	  .url = URL,
	  .agent = GO,
	  .answer = STOCK "Retry-After: 1\n" PAGE},
	 WHY_ACCESS_RATE,
	 0.97,
	 1,
	 1,
	 false},
	{{.name = "so is a count",
	  .url = URL,
	  .agent = GO,
	  .answer = STOCK "X-RateLimit-Remaining: 0\n" PAGE},
	 WHY_ACCESS_RATE,
	 0.97,
	 1,
	 1,
	 false},
	{{.name = "words that do not even repeat the status",
	  .url = URL,
	  .answer = "HTTP/1.1 429 TooMany\n\n{\"code\":\"E1\"}"},
	 WHY_ACCESS_RATE,
	 0.9,
	 1,
	 1,
	 false},
	{{.name = "and a word",
	  .url = URL,
	  .agent = GO,
	  .answer = STOCK "\nRate limit exceeded"},
	 WHY_ACCESS_RATE,
	 0.97,
	 1,
	 1,
	 false},
};

#define JETTY(text)                                                           \
	"HTTP/1.1 503 Service Unavailable\nRetry-After: 30\n"                 \
	"Content-Type: text/html\nServer: Jetty(9.4.57.v20241219)\n\n"        \
	"<html><head><title>Error 503 " text "</title></head><body><h2>HTTP " \
	"ERROR 503 " text "</h2><table><tr><th>URI:</th><td>/ticks</td></tr>" \
	"<tr><th>STATUS:</th><td>503</td></tr><tr><th>MESSAGE:</th><td>" text \
	"</td></tr><tr><th>SERVLET:</"                                        \
	"th><td>org.example.realtime.feed.gateway."                           \
	"TicksServlet-3f2a5c10</td></tr></table><hr><a "                      \
	"href=\"https://eclipse."                                             \
	"org/jetty\">Powered by Jetty:// "                                    \
	"9.4.57.v20241219</a><hr/></body></html>"

TEST("who counts as many as may be is full")
{
	static const struct {
		const char *answer;
		bool full;
	} said[] = {
		{JETTY("All 2 of 2 sessions are in use"), true},
		{JETTY("64/64 concurrent viewers"), true},
		{"@close 1013 8 out of 8 players", true},
		{JETTY("1 of 2 sessions is in use"), false},
		{JETTY("12 of 120 sessions are in use"), false},
		{JETTY("since 10/10 2026"), false},
		{JETTY("Service Unavailable"), false},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		const struct patient patient = {.url = URL,
						.answer = said[i].answer};

		bed_make(&b, &patient);
		bed_probe(&b, &patient, &(struct doctor_trial){0});
		doctor_pronounce(&b.chart, &b.opinion, &b.verdict);
		if (said[i].full != (b.verdict.cause == WHY_SERVER_LIMIT &&
				     b.verdict.confidence > 0.85))
			fail_msg("%s: %s %.2f", said[i].answer,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("a share of each address is no list of addresses, where words tell of it")
{
	static const struct {
		const char *body;
		enum why_cause cause;
	} said[] = {
		{"Too many requests from your network. Try again in a minute.",
		 WHY_ACCESS_RATE},
		{"Your network is not welcome here.", WHY_ACCESS_IP},
		{"No.", WHY_ACCESS_IP},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		char answer[200];
		const struct patient patient = {
			.url = "ws://127.0.0.1:8080/chat",
			.answer = answer,
			.answers = {{DOCTOR_SOURCE, NULL, "@open"}}};

		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 403 Forbidden\nContent-Type: text/plain\n\n"
			 "%s",
			 said[i].body);
		bed_examine(&b, &patient);
		if (b.verdict.cause != said[i].cause ||
		    b.verdict.confidence < 0.9)
			fail_msg("%s: %s %.2f", said[i].body,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("a 503 for one address alone is its share, and no server that is gone")
{
	static const struct {
		const char *elsewhere;
		enum why_cause cause;
	} asked[] = {
		{"@open", WHY_ACCESS_RATE},
		{NULL, WHY_SERVER_BACKEND_DOWN},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct patient patient = {
			.url = "ws://127.0.0.1:8080/chat",
			.answer = "HTTP/1.1 503 Service Unavailable\n"
				  "Content-Type: text/html\n\n<h1>503 Service "
				  "Unavailable</h1>\nNo server is available to "
				  "handle this request."};

		if (asked[i].elsewhere)
			patient.answers[0] = (struct answer){
				DOCTOR_SOURCE, NULL, asked[i].elsewhere};
		bed_examine(&b, &patient);
		if (b.verdict.cause != asked[i].cause ||
		    b.verdict.confidence < 0.85)
			fail_msg("%s: %s %.2f",
				 asked[i].elsewhere ? asked[i].elsewhere : "same",
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("a refusal that comes and goes is what it says, whichever look it met")
{
	static const struct {
		const char *answer;
		enum why_cause cause;
	} looks[] = {
		{"@open >> HTTP/1.1 503 Service Unavailable\nRetry-After: 50\n"
		 "Content-Type: application/json\n\n{\"code\":\"UNDER_PRESSURE\","
		 "\"message\":\"Service under pressure\"}",
		 WHY_SERVER_LIMIT},
		{"HTTP/1.1 503 Service Unavailable\nRetry-After: 50\n"
		 "Content-Type: application/json\n\n{\"code\":\"UNDER_PRESSURE\","
		 "\"message\":\"Service under pressure\"} >> @open",
		 WHY_SERVER_LIMIT},
		{"@open >> HTTP/1.1 429 Too Many Requests\n"
		 "Retry-After: 9\n\n",
		 WHY_ACCESS_RATE},
		{"@open >> HTTP/1.1 502 Bad Gateway\nServer: nginx\n\n",
		 WHY_SERVER_BACKEND_DOWN},
		{"@open >> @cut 2000", WHY_NET_IDLE_TIMEOUT},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		const struct patient p = {.url = "ws://127.0.0.1:8080/chat",
					  .answer = looks[i].answer};

		bed_examine(&b, &p);
		if (b.verdict.cause != looks[i].cause)
			fail_msg("%s: %s %.2f", looks[i].answer,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

static bool is_alternative(const struct bed *b, enum why_cause cause)
{
	for (size_t i = 0; i < b->verdict.n_alternatives; i++)
		if (b->verdict.alternative[i].cause == cause)
			return true;
	return false;
}

TEST("of a 429 it is asked once whether it is the User-Agent, and politely")
{
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bed_examine(&b, &rows[i].patient);
		if (b.verdict.cause != rows[i].cause ||
		    b.verdict.confidence < rows[i].at_least ||
		    b.verdict.confidence > rows[i].at_most ||
		    b.chart.n_probes != rows[i].probes ||
		    (rows[i].agent_open &&
		     !is_alternative(&b, WHY_ACCESS_USER_AGENT)))
			fail_msg("%s: %s %.3f, %zu probes", rows[i].patient.name,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence, b.chart.n_probes);
		bed_strip(&b);
	}
}
