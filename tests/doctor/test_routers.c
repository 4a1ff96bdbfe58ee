/* SPDX-License-Identifier: MIT */
/*
 * The 404 of a router: of a program that takes handshakes in its ordinary
 * handlers, of software that names itself, and of a site that goes by the Host.
 */
#include "test.h"

#include "doctor/bedside.h"

#define NODE_404                                                         \
	"HTTP/1.1 404 Not Found\nContent-Type: text/html; "              \
	"charset=utf-8\nConnection: keep-alive\nKeep-Alive: timeout=5\n" \
	"Date: Mon, 23 Nov 2026 12:00:00 GMT\n\n<!doctype html><html><body>"
#define SERVE NODE_404 "<a href=\"//example.com/webpack-plugin-serve#faq\">?</a>"
#define OWN   NODE_404 "<h1>Lost</h1></body></html>"

TEST("software that its own 404 page names is asked where it has its WebSocket")
{
	static struct bed b;
	const struct patient p = {.url = "ws://127.0.0.1:8080/ws",
				  .answer = SERVE,
				  .answers = {{DOCTOR_PATH, "/wps", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_URL_PATH);
	assert_true(b.verdict.confidence > 0.9);
	assert_non_null(strstr(b.verdict.summary, "/wps"));
	bed_strip(&b);
}

TEST("a 404 page of a program of Node's does not show that it has no WebSocket")
{
	static struct bed b;
	const struct patient p = {.url = "ws://127.0.0.1:8080/ws",
				  .answer = OWN};

	bed_examine(&b, &p);
	assert_true(b.opinion.p[WHY_URL_PATH] > 0.1);
	assert_true(b.opinion.p[WHY_SERVER_NO_WEBSOCKET] < 0.75);
	bed_strip(&b);
}

TEST("where three paths get the same 404, another Host is asked for before the "
     "fourth")
{
	static struct bed b;
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/live",
		.answer = "HTTP/1.1 404 Not Found\nContent-Type: text/html\n"
			  "Server: hypercorn-h11\n\n<!doctype html>\n<html "
			  "lang=en>\n<title>404 Not Found</title>\n<h1>Not "
			  "Found</h1>\n<p>The requested URL was not found on "
			  "the server. If you entered the URL manually please "
			  "check your spelling and try again.</p>\n",
		.answers = {{DOCTOR_HOST, "localhost:8080", "@open"},
			    {DOCTOR_PATH, "/",
			     "HTTP/1.1 400 Bad Request\nContent-Length: 0\n\n"},
			    {DOCTOR_PLAIN_GET_PATH, "/",
			     "HTTP/1.1 200 OK\n\npublic site"}}};
	size_t lost = 0;

	bed_examine(&b, &p);
	for (size_t i = 0; i < b.chart.n_probes &&
			   b.chart.probe[i]->trial.change != DOCTOR_HOST;
	     i++)
		lost += b.chart.probe[i]->trial.change == DOCTOR_PATH &&
			b.chart.probe[i]->status == 404;
	assert_true(lost <= 3);
	assert_int_equal(b.verdict.cause, WHY_URL_HOST);
	bed_strip(&b);
}

TEST("a server of pages alone, whose page opens another port, has its WebSocket "
     "there")
{
	static struct bed b;
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/",
		.answer = "HTTP/1.1 200 OK\nContent-Type: text/html\nConnection: "
			  "keep-alive\nKeep-Alive: timeout=5\n\n<html><script>"
			  "new WebSocket('ws://127.0.0.1:8081/')</script></html>",
		.answers = {{DOCTOR_PORT, "8081", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_URL_PORT);
	assert_true(b.verdict.confidence > 0.9);
	bed_strip(&b);
}

TEST("who asked for a certificate in TLS and ends whatever comes after it wants "
     "the certificate")
{
	static struct bed b;
	const struct patient p = {.url = "wss://chat.example/",
				  .answer = "@closed",
				  .asked_for_cert = true};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_CLIENT_CERT);
	assert_true(b.verdict.confidence > 0.85);
	bed_strip(&b);
}
