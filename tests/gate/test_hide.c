/* SPDX-License-Identifier: MIT */
/* Requests as they are written down. */
#include "gate/hide.h"

#include "test.h"

/* A route that takes tokens from these places. */
static struct gate_token_settings settings_of(struct gate_from *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_null(gate_from_read(&from[i]));
	return (struct gate_token_settings){
		.at = {1, 1}, .from = from, .n_from = n};
}

TEST("a target is written down without its secrets")
{
	static const struct {
		const char *target, *shown;
	} rows[] = {
		{"/chat", "/chat"},
		{"/chat?", "/chat?"},
		{"/chat?room=1", "/chat?room=1"},
		{"/chat?t=x&room=1", "/chat?t=***&room=1"},
		{"/chat?%74=x", "/chat?%74=***"},
		{"/chat?T=x", "/chat?T=***"},
		{"/chat?t=x&t=y", "/chat?t=***&t=***"},
		{"/chat?t=a=b", "/chat?t=***"},
		{"/chat?t=", "/chat?t="},
		{"/chat?t", "/chat?t"},
		{"/chat?a&t=x", "/chat?a&t=***"},
		{"/chat?access_token=x", "/chat?access_token=***"},
		{"/chat?apiKey=x", "/chat?apiKey=***"},
		{"/chat?password=x", "/chat?password=***"},
		{"/chat?x=eyJhbGciOiJIUzI1NiJ9", "/chat?x=***"},
		{"/chat?x=0123456789abcdef0123", "/chat?x=***"},
		{"/chat?0123456789abcdef0123", "/chat?***"},
		{"/chat?room=the-long-name-of-a-room", "/chat?room=***"},
		{"/chat?k=hunter7&EIO=4&transport=websocket",
		 "/chat?k=***&EIO=4&transport=websocket"},
		{"/chat?swordfish&json", "/chat?***&json"},
		{"/chat\x1b[31m?a=\x1b[31m", "/chat\\x1b[31m?a=***"},
	};
	struct gate_from from = {.text = (char *)"query:t"};
	struct gate_token_settings s = settings_of(&from, 1);
	char out[200], small[12];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(
			gate_hide_target(&s, bytes_of_str(rows[i].target), out,
					 sizeof(out)),
			rows[i].shown);
	assert_string_equal(gate_hide_target(NULL, BYTES("/chat?token=x&a=b"),
					     out, sizeof(out)),
			    "/chat?token=***&a=b");
	assert_int_equal(
		strlen(gate_hide_target(&s, BYTES("/chat?t=abcdefgh&b=c"),
					small, sizeof(small))),
		11);
	assert_null(strstr(small, "abc"));
}

TEST("a field is written down without its secrets")
{
	static const struct {
		const char *name, *value, *shown;
	} rows[] = {
		{"Authorization", "Bearer abc", "Bearer ***"},
		{"authorization", "basic YTpi", "basic ***"},
		{"Authorization", "abc", "***"},
		{"Authorization", "hunter2 x", "***"},
		{"Proxy-Authorization", "Basic YTpi", "Basic ***"},
		{"Cookie", "a=b; session=x;c", "a=***; session=***; ***"},
		{"Sec-WebSocket-Protocol", "bearer, T, chat",
		 "bearer, ***, chat"},
		{"Sec-WebSocket-Protocol", "chat, bearer.T", "chat, bearer.***"},
		{"Sec-WebSocket-Protocol", "k, T", "k, ***"},
		{"Sec-WebSocket-Protocol", "k.T", "k.***"},
		{"Sec-WebSocket-Protocol", "eyJhbGciOiJIUzI1NiJ9", "***"},
		{"Sec-WebSocket-Protocol", "graphql-transport-ws, v12.stomp",
		 "graphql-transport-ws, v12.stomp"},
		{"X-Api-Key", "abc", "***"},
		{"X-Mine", "abc", "***"},
		{"Referer", "https://a.example/?token=x",
		 "https://a.example/?token=***"},
		{"Sec-WebSocket-Key",
		 "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="},
		{"User-Agent", "a\nb", "a\\x0ab"},
		{"Origin", "https://a.example", "https://a.example"},
	};
	struct gate_from from[] = {{.text = (char *)"header:X-Mine"},
				   {.text = (char *)"subprotocol:k"}};
	struct gate_token_settings s = settings_of(from, 2);
	char out[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(gate_hide_field(&s,
						    bytes_of_str(rows[i].name),
						    bytes_of_str(rows[i].value),
						    out, sizeof(out)),
				    rows[i].shown);
}

TEST("a URL is written down without who it is, and a sentence without those of "
     "its URLs")
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{"ws://db.example/a", "ws://db.example/a"},
		{"redis://:x@db.example/0", "redis://***@db.example/0"},
		{"redis://ann@db.example", "redis://***@db.example"},
		{"redis://ann:x@y/z@db.example", "redis://***@db.example"},
		{"redis://ann:a b@db.example", "redis://***@db.example"},
		{"redis:/:x@db.example", "redis:/***@db.example"},
		{"ann:x@db.example:6379", "ann:***@db.example:6379"},
		{"//:x@db.example", "//:***@db.example"},
		{"ws://db.example/?token=x", "ws://db.example/?token=***"},
		{"ann@db.example", "ann@db.example"},
		{"127.0.0.1:80", "127.0.0.1:80"},
		{"", ""},
		{":@", ":@"},
		{"a?hunter7", "a?hunter7"},
		{"ws://db.example\x1b", "ws://db.example\\x1b"},
	};
	char out[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(gate_hide_url(bytes_of_str(rows[i].text),
						  out, sizeof(out)),
				    rows[i].shown);
	assert_string_equal(
		gate_hide_urls(BYTES("a: `redis://:x@h/0`, (b:y@h) and \"c\"."),
			       out, sizeof(out)),
		"a: `redis://***@h/0`, (b:***@h) and \"c\".");
	assert_string_equal(
		gate_hide_urls(BYTES("t.yaml:1:2: é `x@y`"), out, sizeof(out)),
		"t.yaml:1:2: é `x@y`");
}
