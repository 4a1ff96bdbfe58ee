/* SPDX-License-Identifier: MIT */
/*
 * Random bytes are the kernel's or none: a mask that somebody can predict lets
 * a page write what it likes into caches on the way (RFC 6455 10.3).
 */
#include "test.h"

#include "net/addr.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the kernel answers here instead: 0 is its own word. */
static int refusal;
static size_t most_at_once;
static unsigned interruptions;

ssize_t getrandom(void *out, size_t len, unsigned flags)
{
	if (interruptions) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	if (refusal) {
		errno = refusal;
		return -1;
	}
	if (most_at_once && len > most_at_once)
		len = most_at_once;
	return getentropy(out, len < 256 ? len : 256) == 0
		       ? (ssize_t)(len < 256 ? len : 256)
		       : -1;
}

/* The signal that ends a child which draws while the kernel refuses. */
static int end_of_child(int error)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		refusal = error;
		ses_random32();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST("without random bytes from the kernel the program ends, rather than send")
{
	static const int errors[] = {ENOSYS, EAGAIN, EPERM, EFAULT};

	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		assert_int_equal(end_of_child(errors[i]), SIGABRT);
}

TEST("an interrupted or short answer of the kernel is asked for again")
{
	uint8_t bytes[64] = {0};
	size_t zeros = 0;

	interruptions = 3;
	most_at_once = 1;
	ses_random(bytes, sizeof(bytes));
	most_at_once = 0;
	assert_int_equal(interruptions, 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		zeros += bytes[i] == 0;
	assert_true(zeros < 8);
}
