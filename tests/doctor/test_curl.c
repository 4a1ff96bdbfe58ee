/* SPDX-License-Identifier: MIT */
/* A copied curl command: three shells' quoting, curl's options, shell tricks. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "doctor/curl.h"
#include "doctor/shell_words.h"

/* "option=value|..." of what @text says, or "! complaint". */
static char *read_text(struct bytes text, char *out, size_t size)
{
	struct doctor_import m;
	size_t n = 0;

	doctor_import_init(&m);
	out[0] = 0;
	if (doctor_curl_read(text, &m) < 0)
		snprintf(out, size, "! %s", m.complaint);
	else
		for (size_t i = 0; i < m.n_said; i++)
			n += (size_t)snprintf(out + n, size - n, "%s%s=%s",
					      i ? "|" : "", m.said[i].option,
					      m.said[i].value);
	doctor_import_fini(&m);
	return out;
}

static void expect(const char *text, const char *said)
{
	char out[4096];

	read_text(bytes_of_str(text), out, sizeof(out));
	if (said[0] == '!' ? out[0] != '!' || !strstr(out, said + 2)
			   : strcmp(out, said) != 0)
		fail_msg("%s\n  gives    %s\n  and not  %s", text, out, said);
}

struct row {
	const char *text, *said;
};

static void expect_all(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect(rows[i].text, rows[i].said);
}

TEST("quotes of bash mean what bash means by them")
{
	static const struct row rows[] = {
		{"curl ws://h/", "url=ws://h/"},
		{"curl 'ws://h/a b'", "url=ws://h/a b"},
		{"curl \"ws://h/\\\"q\\\"\"", "url=ws://h/\"q\""},
		{"curl ws://h/ \\\n  -k", "url=ws://h/|insecure="},
		{"curl ws://h/ \\\r\n  -k\r\n", "url=ws://h/|insecure="},
		{"curl 'ws://h/' -H 'X: it'\\''s'",
		 "url=ws://h/|header=X: it's"},
		{"curl ws://h/ -H $'X: a\\u0021b\\x41\\101\\'\\\\'",
		 "url=ws://h/|header=X: a!bAA'\\"},
		{"curl ws://h/ -H $'X: \\u00e9\\ud83d\\ude00'",
		 "url=ws://h/|header=X: \xc3\xa9\xf0\x9f\x98\x80"},
		{"curl ws://h/ -H $'X: \\q'", "url=ws://h/|header=X: \\q"},
		{"curl ws://h/ -H $\"X: a\"", "url=ws://h/|header=X: a"},
		{"curl ws://h/ -H \"X: a\\\nb\"", "url=ws://h/|header=X: ab"},
		{"curl ws://h/ -H \"X: \\a\"", "url=ws://h/|header=X: \\a"},
		{"curl ws://h/\\ b", "url=ws://h/ b"},
		{"curl ws://h/#top", "url=ws://h/#top"},
		{"curl ws://h/a?b=$", "url=ws://h/a?b=$"},
		{"  curl   ws://h/  \n\n", "url=ws://h/"},
		{"curl ws://h/ -A ''", "url=ws://h/|user-agent="},
		{"curl \"ws://h/\" -A \"\" -H \"X: \\\"\\\"\"",
		 "url=ws://h/|user-agent=|header=X: \"\""},
		{"curl \"ws://h/\" -H \'X: \'\"\"\'y\'",
		 "url=ws://h/|header=X: y"},
		{"curl 'ws://h/?a=1&b=$(x);`y`'", "url=ws://h/?a=1&b=$(x);`y`"},
	};

	expect_all(rows, ARRAY_LEN(rows));
}

TEST("carets and quotes of cmd, and the backquotes of PowerShell, are undone")
{
	static const struct row rows[] = {
		{"curl ^\"ws://h/^?a^=1^&b^=%^20c^\" ^\r\n  -H ^\"X: y^\" ^\r\n"
		 "  -k",
		 "url=ws://h/?a=1&b=%20c|header=X: y|insecure="},
		{"curl ^\"ws://h/^\" -H ^\"X: say ^\\^\"hi^\\^\"^\"",
		 "url=ws://h/|header=X: say \"hi\""},
		{"curl \"ws://h/\" ^\n -H \"X: a ^ b\"",
		 "url=ws://h/|header=X: a ^ b"},
		{"curl ^\"ws://h/^\" -H ^\"X: C:\\\\a\\\\^\"",
		 "url=ws://h/|header=X: C:\\\\a\\"},
		{"curl ^\"ws://h/^\" -H \"X: \"\"q\"\"\"",
		 "url=ws://h/|header=X: \"q\""},
		{"curl \"ws://h/\" -H \"X: k=\"\"v\"\"\"",
		 "url=ws://h/|header=X: k=\"v\""},
		{"curl \"ws://h/\" -b \"k=\"\"a b\"\"; l=\"\"\"\"\"",
		 "url=ws://h/|cookie=k=\"a b\"; l=\"\""},
		{"curl.exe \"ws://h/\" -H \"X: k=\"\"v\"\"\"",
		 "url=ws://h/|header=X: k=\"v\""},
		{"curl ^\"ws://h/^\" -H ^\"X: k=^\"^\"v^\"^\"^\"",
		 "url=ws://h/|header=X: k=\"v\""},
		{"curl ^\"ws://h/^\" & calc", "! begin another command"},
		{"curl ^\"ws://h/^\" ^\n\ndel x", "! two URLs"},
		{"curl ^\"ws://h/^\" > out.txt", "! open a file"},
		{"curl ^\"ws://h/", "! has no end"},
		{"curl.exe 'ws://h/' `\n -H 'X: it''s' `\r\n -k",
		 "url=ws://h/|header=X: it's|insecure="},
		{"curl.exe \"ws://h/\" -H \"X: `\"a`\" `$b\"",
		 "url=ws://h/|header=X: \"a\" $b"},
		{"curl.exe \"ws://h/$(calc)\"", "! fill in a value"},
		{"curl.exe ws://h/ ; calc", "! begin another command"},
	};

	expect_all(rows, ARRAY_LEN(rows));
}

TEST("what a shell would run is refused, and it is said where")
{
	static const struct row rows[] = {
		{"curl ws://h/ $(reboot)", "! character 14: a shell would run"},
		{"curl \"ws://h/$(reboot)\"", "! run a command"},
		{"curl ws://h/`reboot`", "! run a command"},
		{"curl \"ws://h/`reboot`\"", "! run a command"},
		{"curl ws://h/; reboot", "! another command"},
		{"curl ws://h/ | sh", "! another command"},
		{"curl ws://h/ && reboot", "! another command"},
		{"curl ws://h/?a=1&b=2", "! another command"},
		{"curl ws://h/ -H @<(id)", "! open a file or run"},
		{"curl ws://h/ > /etc/passwd", "! open a file"},
		{"curl ws://h/ -H X:$TOKEN", "! fill in a variable"},
		{"curl ws://h/ -H \"X:$TOKEN\"", "! fill in a variable"},
		{"curl ws://h/ -H ${TOKEN}", "! fill in a value"},
		{"curl ws://h/ # note", "! a comment"},
		{"curl ws://h/\nreboot", "! line 2, character 1: "},
		{"(curl ws://h/)", "! another command"},
		{"curl 'ws://h/", "! has no end"},
		{"curl \"ws://h/", "! has no end"},
		{"curl $'ws://h/", "! has no end"},
		{"curl $'ws://h/\\0'", "! NUL"},
		{"curl $'ws://h/\\xzz'", "! no character"},
		{"wget ws://h/", "! does not begin with curl"},
		{"TOKEN=x curl ws://h/", "! does not begin with curl"},
		{"", "! empty"},
		{"curl", "! no URL"},
	};

	expect_all(rows, ARRAY_LEN(rows));
}

TEST("curl's options become the doctor's")
{
	static const struct row rows[] = {
		{"curl -HX:1 -H 'Y: 2' --header Z:3 ws://h/",
		 "header=X: 1|header=Y: 2|header=Z: 3|url=ws://h/"},
		{"curl -H 'X;' -H 'Y:' ws://h/",
		 "header=X;|header=Y:|url=ws://h/"},
		{"curl -b 'a=1; b=2' --cookie c=3 ws://h/",
		 "cookie=a=1; b=2|cookie=c=3|url=ws://h/"},
		{"curl -A ua -e http://r/;auto -u a:b ws://h/", "! another"},
		{"curl -A ua -e 'http://r/;auto' -u a:b ws://h/",
		 "user-agent=ua|header=Referer: http://r/|user=a:b|"
		 "url=ws://h/"},
		{"curl -x p:1 -U 'a:b@c' ws://h/",
		 "url=ws://h/|proxy=http://a:b%40c@p:1"},
		{"curl -x http://p:1 ws://h/", "url=ws://h/|proxy=http://p:1"},
		{"curl --socks5-hostname p:1 ws://h/",
		 "proxy=socks5h://p:1|url=ws://h/"},
		{"curl -k --resolve h:80:127.0.0.1 --connect-to ::x: ws://h/",
		 "insecure=|resolve=h:80:127.0.0.1|connect-to=::x:|"
		 "url=ws://h/"},
		{"curl --cacert ca -E c.pem --key k ws://h/",
		 "cacert=ca|cert=c.pem|key=k|url=ws://h/"},
		{"curl --interface 127.0.0.2 -4 -m 3 ws://h/",
		 "source=127.0.0.2|ipv4=|timeout=3|url=ws://h/"},
		{"curl -iskvSNL -o out --compressed -X GET --http1.1 ws://h/",
		 "insecure=|url=ws://h/"},
		{"curl --oauth2-bearer t ws://h/",
		 "header=Authorization: Bearer t|url=ws://h/"},
		{"curl --url https://h/", "url=wss://h/"},
		{"curl HTTP://h/a", "url=ws://h/a"},
		{"curl h:81/a", "url=ws://h:81/a"},
		{"wss://h/?a=1&b=2", "url=wss://h/?a=1&b=2"},
		{"'https://h/?a=1'", "url=wss://h/?a=1"},
		{"/usr/bin/curl ws://h/", "url=ws://h/"},
		{"curl -X POST ws://h/", "! asks by POST"},
		{"curl -d x ws://h/", "! -d: it sends a body"},
		{"curl --data-raw x ws://h/", "! --data-raw: it sends a body"},
		{"curl -I ws://h/", "! HEAD"},
		{"curl ws://h/ ws://g/", "! two URLs"},
		{"curl --frobnicate ws://h/", "! no option --frobnicate"},
		{"curl -H @file ws://h/", "! from a file"},
		{"curl -b jar.txt ws://h/", "! from a file"},
		{"curl -u ann ws://h/", "! no password"},
		{"curl -H", "! wants a value"},
	};

	expect_all(rows, ARRAY_LEN(rows));
}

TEST("of the copied handshake only what is not usual is kept")
{
	static const struct row rows[] = {
		{"curl ws://h/ -H 'Connection: keep-alive, Upgrade' -H "
		 "'Upgrade: WebSocket' -H 'Sec-WebSocket-Version: 13' -H "
		 "'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H "
		 "'Sec-WebSocket-Extensions: permessage-deflate; "
		 "client_max_window_bits'",
		 "url=ws://h/"},
		{"curl ws://h/ -H 'Connection: close'",
		 "url=ws://h/|header=Connection: close"},
		{"curl ws://h/ -H 'Upgrade: h2c'",
		 "url=ws://h/|header=Upgrade: h2c"},
		{"curl ws://h/ -H 'Sec-WebSocket-Version: 8'",
		 "url=ws://h/|header=Sec-WebSocket-Version: 8"},
		{"curl ws://h/ -H 'Sec-WebSocket-Key: abc'", "url=ws://h/"},
		{"curl ws://h/ -H 'Sec-WebSocket-Extensions: x-webkit'",
		 "url=ws://h/|header=Sec-WebSocket-Extensions: x-webkit"},
		{"curl ws://h/ -H ':authority: h' -H ':path: /'",
		 "url=ws://h/"},
	};

	expect_all(rows, ARRAY_LEN(rows));
}

TEST("what is left out of a copy is noted, once and without its value")
{
	struct doctor_import m;

	doctor_import_init(&m);
	assert_int_equal(
		doctor_curl_read(BYTES("curl --http2 -H ':path: /s' -H "
				       "':authority: CANARY' --http2 "
				       "--proxy-header 'X: CANARY' ws://h/"),
				 &m),
		0);
	assert_int_equal(m.n_notes, 3);
	assert_non_null(strstr(m.note[0], "--http2"));
	assert_non_null(strstr(m.note[1], ":authority"));
	for (size_t i = 0; i < m.n_notes; i++)
		assert_null(strstr(m.note[i], "CANARY"));
	doctor_import_fini(&m);
}

TEST("a command cut at every byte is read or refused, and never read past")
{
	static const char *const texts[] = {
		"curl $'ws://h/\\u00e9\\ud83d\\ude00' -H \"X: \\\"a\\\"\" \\\n "
		"-b "
		"'a=1' -u a:b -x http://p:1 -U c:d --resolve h:80:1.2.3.4",
		"curl ^\"ws://h/^&a^\" ^\r\n -H ^\"X: ^\\^\"y^\\^\"^\" ^\n\n",
		"curl.exe \"ws://h/`$`\"\" `\r\n -H 'X: ''y'''",
	};
	char out[4096];

	for (size_t t = 0; t < ARRAY_LEN(texts); t++)
		for (size_t len = 0; len <= strlen(texts[t]); len++) {
			uint8_t *copy = test_guarded(texts[t], len);

			read_text(bytes_of(copy, len), out, sizeof(out));
			test_guard_free(copy, len);
		}
}

TEST("a megabyte, a NUL and ten thousand words are refused or read, and no "
     "more")
{
	size_t len = 1024 * 1024;
	char *big = malloc(3 * len), out[4096];

	memset(big, 'a', 3 * len);
	memcpy(big, "curl ws://h/ -H 'X: ", 20);
	big[len - 1] = '\'';
	read_text(bytes_of(big, len), out, sizeof(out));
	assert_non_null(strstr(out, "too large for a handshake"));
	big[150000] = '\'';
	read_text(bytes_of(big, 150001), out, sizeof(out));
	assert_int_equal(strncmp(out, "url=", 4), 0);
	big[150000] = 'a';
	read_text(bytes_of(big, 3 * len), out, sizeof(out));
	assert_non_null(strstr(out, "over 2 MB"));
	read_text(BYTES("curl ws://h/\0x"), out, sizeof(out));
	assert_non_null(strstr(out, "character 13: a NUL"));
	memcpy(big, "curl", 4);
	for (size_t i = 4; i < len; i++)
		big[i] = i % 2 ? 'a' : ' ';
	read_text(bytes_of(big, len), out, sizeof(out));
	assert_int_equal(out[0], '!');
	free(big);
}

#define SESSION                  \
	"$session = New-Object " \
	"Microsoft.PowerShell.Commands.WebRequestSession\n"
#define COOKIE(args) \
	"$session.Cookies.Add((New-Object System.Net.Cookie(" args ")))\n"

TEST("what browsers copy as PowerShell is read without running anything")
{
	static const struct row rows[] = {
		{SESSION "$session.UserAgent = \"Mozilla/5.0 (X11; "
			 "Linux)\"\n" COOKIE("\"a\", \"1\", \"/\", \"h\"")
				 COOKIE("\"b\", \"x`\"y`$z\", \"/\", \".h\"") "Invoke-WebRequest -UseBasicParsing -Uri \"wss://h/ws?a=b&c\" "
									      "`\n-WebSession $session `\n-Headers @{\n"
									      "\"Pragma\"=\"no-cache\"\n  \"Origin\"=\"https://p\"\n"
									      "  \"Upgrade\"=\"websocket\"\n"
									      "  \"Sec-WebSocket-Key\"=\"AAAAAAAAAAAAAAAAAAAAAA==\"\n}",
		 "user-agent=Mozilla/5.0 (X11; Linux)|url=wss://h/ws?a=b&c|"
		 "header=Pragma: no-cache|header=Origin: https://p|"
		 "cookie=a=1; b=x\"y$z"},
		{"Invoke-WebRequest -Uri 'https://h/' -Headers @{Origin = "
		 "'https://it''s'; \"X-A\" = \"$([char]228)$([char]55357)"
		 "$([char]56832)\"}",
		 "url=wss://h/|header=Origin: https://it's|header=X-A: "
		 "\xc3\xa4\xf0\x9f\x98\x80"},
		{"iwr ws://h/?a=b -SkipCertificateCheck -Method Get\r\n",
		 "url=ws://h/?a=b|insecure="},
		{"irm -Uri \"ws://h/\" `\r\n-UserAgent 'a b' -Proxy http://p:1",
		 "url=ws://h/|user-agent=a b|proxy=http://p:1"},
	};

	expect_all(rows, ARRAY_LEN(rows));
}

TEST("what PowerShell would have to compute or run is refused, with its line")
{
	static const struct row rows[] = {
		{"Invoke-WebRequest -Uri \"ws://$h/\"", "! line 1"},
		{"Invoke-WebRequest -Uri $url", "! fill it in"},
		{"Invoke-WebRequest -Uri \"ws://h/$(Get-Date)\"", "! fill in"},
		{"Invoke-WebRequest -Uri \"ws://h/\" | Out-File x",
		 "! something else"},
		{"Invoke-WebRequest -Uri \"ws://h/\"\nRemove-Item x",
		 "! line 2 of the PowerShell: a statement"},
		{"Invoke-WebRequest -Uri \"ws://h/\" -OutFile x",
		 "! an option that browsers do not write"},
		{"Invoke-WebRequest -Uri \"ws://h/\" -Body 'a'", "! a body"},
		{"Invoke-WebRequest -Uri \"ws://h/\" -Method POST",
		 "! does not ask by GET"},
		{"Invoke-WebRequest -Uri \"ws://h/", "! a quote has no end"},
		{"Invoke-WebRequest -Uri \"ws://h/\" -Headers @{\"A\"=\"b`r`n"
		 "C: d\"}",
		 "! a control character"},
		{"Invoke-WebRequest -Uri \"ws://h/\" -Headers @{\"A\"",
		 "! does not read"},
		{"Invoke-WebRequest -UseBasicParsing", "! it has no -Uri"},
		{SESSION "$session.UserAgent = Get-Agent (x)", "! line 2"},
		{SESSION COOKIE("\"a\""), "! does not read"},
		{SESSION "$x = New-Object System.Net.WebClient\n",
		 "! does not read"},
	};

	expect_all(rows, ARRAY_LEN(rows));
}

TEST("a PowerShell that is cut anywhere is read or refused, and told why")
{
	static const char whole[] = SESSION COOKIE(
		"\"a\", \"1\", \"/\", \"h\"") "Invoke-WebRequest -Uri "
					      "\"ws://h/$([char]228)\" `\n"
					      "-Headers @{\n\"A\"=\"b\"\n}";

	for (size_t n = 0; n < sizeof(whole); n++) {
		struct doctor_import m;
		uint8_t *copy = test_guarded(whole, n);

		doctor_import_init(&m);
		if (doctor_curl_read(bytes_of(copy, n), &m) < 0)
			assert_true(m.complaint[0]);
		doctor_import_fini(&m);
		test_guard_free(copy, n);
	}
}
