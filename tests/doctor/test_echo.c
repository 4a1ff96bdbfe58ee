/* SPDX-License-Identifier: MIT */
/*
 * Echoes: pages that print the request say nothing with it, and sentences that
 * quote a value still say something.
 */
#include "test.h"

#include "doctor/echo.h"

static const char request[] =
	"GET /live/origin-room?token=abcd1234&x=1&transport=websocket "
	"HTTP/1.1\r\n"
	"Host: chat.example:8443\r\n"
	"Upgrade: websocket\r\n"
	"Connection: Upgrade\r\n"
	"Sec-WebSocket-Version: 13\r\n"
	"Origin: https://chat.example:8443\r\n"
	"User-Agent: Mozilla/5.0 (X11) forbidden/1\r\n"
	"Cookie: session=deadbeef; theme=dark\r\n\r\n";

/* Whether @word is left of @said, which stands before a forbidden page. */
static bool is_left(const char *said, const char *word)
{
	size_t len = strlen(said);
	uint8_t *guarded;
	char text[1024];
	bool left;

	assert_true(len < sizeof(text));
	guarded = test_guarded(said, len);
	doctor_blank_echo(request, bytes_of(guarded, len), text);
	test_guard_free(guarded, len);
	left = bytes_contains_nocase(bytes_of(text, len), bytes_of_str(word));
	return left;
}

TEST("what a page repeats of the request is not said by it")
{
	static const struct {
		const char *said, *word;
		bool left;
	} rows[] = {
		{"User-Agent: Mozilla/5.0 (X11) forbidden/1\n", "agent", false},
		{"user-agent = Mozilla/5.0 (X11) forbidden/1", "agent", false},
		{"HTTP_USER_AGENT=Mozilla/5.0 (X11) forbidden/1", "agent", false},
		{"{\"user-agent\":\"Mozilla\\/5.0 (X11) forbidden\\/1\"}",
		 "agent", false},
		{"<tr><td>User-Agent</td><td>Mozilla/5.0 (X11) forbidden/1"
		 "</td></tr>",
		 "agent", false},
		{"Host: chat.example:8443\r\nOrigin: https://chat.example:8443"
		 "\r\nCookie: session=deadbeef; theme=dark",
		 "origin", false},
		{"Host: chat.example:8443\r\nOrigin: https://chat.example:8443"
		 "\r\nCookie: session=deadbeef; theme=dark",
		 "cookie", false},
		{"GET /live/origin-room?token=abcd1234&x=1&transport=websocket",
		 "origin", false},
		{"\"Invalid websocket upgrade\"", "websocket upgrade", true},
		{"Cannot GET ?transport=websocket", "websocket", false},
		{"GET /live/origin-room?token=abcd1234&amp;x=1&amp;"
		 "transport=websocket",
		 "token", false},
		{"{\"query\":{\"token\":\"abcd1234\"}}", "token", false},
		{"{\"cookies\":{\"session\":\"deadbeef\"}}", "session", false},
		{"your browser is Mozilla/5.0 (X11) forbidden/1", "forbidden",
		 false},
		/* sentences */
		{"Invalid origin: https://chat.example:8443", "origin", true},
		{"Origin https://chat.example:8443 is not allowed", "origin",
		 true},
		{"origin 'https://chat.example:8443' denied", "origin", true},
		{"Invalid token: abcd1234", "token", true},
		{"User-Agent: not allowed", "agent", true},
		{"Cannot GET /live/origin-room", "cannot get /", true},
		{"websocket upgrade required", "websocket upgrade", true},
		{"Origin header: missing", "origin header", true},
		{"", "origin", false},
		{"<", "origin", false},
		{"Origin:", "origin", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_left(rows[i].said, rows[i].word) != rows[i].left)
			fail_msg("%s: %s", rows[i].said, rows[i].word);
}

TEST("what is cut anywhere is read without a byte too many")
{
	static const char page[] =
		"<b>User-Agent</b>: <i>Mozilla/5.0 (X11) forbidden/1</i>\n"
		"{\"Origin\": \"https:\\/\\/chat.example:8443\"}&amp;";
	char text[sizeof(page)];

	for (size_t n = 0; n < sizeof(page); n++) {
		uint8_t *said = test_guarded(page, n);

		doctor_blank_echo(request, bytes_of(said, n), text);
		for (size_t i = 0; i < n; i++)
			if (text[i] != DOCTOR_ECHO)
				assert_int_equal(text[i], page[i]);
		test_guard_free(said, n);
	}
}
