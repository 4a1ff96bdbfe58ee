/* SPDX-License-Identifier: MIT */
/* Addresses to and from text. */
#include "net/addr.h"

#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

TEST("addresses are read and written back; everything else is refused")
{
	static const struct {
		const char *in;
		int family; /* 0: no address */
		const char *text;
	} rows[] = {
		{"127.0.0.1", 4, "127.0.0.1:80"},
		{"255.255.255.255", 4, "255.255.255.255:80"},
		{"::1", 6, "[::1]:80"},
		{"2001:DB8::00a", 6, "[2001:db8::a]:80"},
		{"::ffff:10.0.0.1", 6, "[::ffff:10.0.0.1]:80"},
		{"fe80::1%7", 6, "[fe80::1%7]:80"},
		{"::", 6, "[::]:80"},
		{"", 0, NULL},
		{"127.1", 0, NULL},
		{"0x7f.0.0.1", 0, NULL},
		{"127.0.0.01", 0, NULL},
		{"127.0.0.1 ", 0, NULL},
		{"256.0.0.1", 0, NULL},
		{"[::1]", 0, NULL},
		{"localhost", 0, NULL},
		{"1::2::3", 0, NULL},
		{"fe80::1%", 0, NULL},
		{"fe80::1%nosuchdevice", 0, NULL},
		{"127.0.0.1%1", 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].in);
		uint8_t *in = test_guarded(rows[i].in, len);
		struct ses_addr a;
		char text[SES_ADDR_TEXT];

		assert_int_equal(ses_addr_parse(bytes_of(in, len), 80, &a),
				 rows[i].family != 0);
		test_guard_free(in, len);
		if (!rows[i].family)
			continue;
		assert_int_equal(ses_addr_family(&a), rows[i].family);
		assert_int_equal(ses_addr_port(&a), 80);
		assert_string_equal(ses_addr_format(&a, text), rows[i].text);
	}
}

TEST("every machine's own addresses are loopback, and no others")
{
	static const struct {
		const char *text;
		bool own;
	} rows[] = {
		{"127.0.0.1", true},
		{"127.255.255.255", true},
		{"::1", true},
		{"126.255.255.255", false},
		{"128.0.0.1", false},
		{"::", false},
		{"::ffff:127.0.0.1", false},
		{"::2", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_addr a;

		assert_true(ses_addr_parse(bytes_of_str(rows[i].text), 80, &a));
		if (ses_addr_is_loopback(&a) != rows[i].own)
			fail_msg("%s", rows[i].text);
	}
}

TEST("a NUL inside and a text too long are no addresses")
{
	char text[200];
	struct ses_addr a;

	memset(text, '1', sizeof(text));
	assert_false(ses_addr_parse(bytes_of(text, sizeof(text)), 1, &a));
	assert_false(ses_addr_parse(bytes_of("::1\0", 4), 1, &a));
}

TEST("random bytes differ, also across the end of the stock")
{
	uint8_t a[32] = {0}, b[32] = {0};
	unsigned zeros = 0;

	ses_random(a, sizeof(a));
	ses_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (int i = 0; i < 5000; i++)
		zeros += ses_random32() == 0;
	assert_true(zeros < 3);
}

TEST("a child draws other numbers than its parent")
{
	uint32_t ours, theirs;
	int fds[2], status;
	pid_t child;

	ses_random32();
	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		theirs = ses_random32();
		_exit(write(fds[1], &theirs, sizeof(theirs)) < 0);
	}
	ours = ses_random32();
	assert_int_equal(read(fds[0], &theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_not_equal(ours, theirs);
	close(fds[0]);
	close(fds[1]);
}
