/* SPDX-License-Identifier: MIT */
/* Collects what TEST() registers and runs it as one cmocka group. */
#include "test.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct CMUnitTest tests[1024];
static size_t n_tests;

void test_register(const char *sentence, void (*run)(void **state))
{
	if (n_tests == ARRAY_LEN(tests))
		abort();
	tests[n_tests++] =
		(struct CMUnitTest){.name = sentence, .test_func = run};
}

static size_t pages_for(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + page - 1) / page * page;
}

uint8_t *test_guarded(const void *data, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = pages_for(len);
	uint8_t *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + room, page, PROT_NONE) != 0)
		abort();
	if (len)
		memcpy(map + room - len, data, len);
	return map + room - len;
}

void test_guard_free(uint8_t *copy, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = pages_for(len);

	munmap(copy + len - room, room + page);
}

size_t test_heap(void)
{
#ifdef SES_NO_SPARES
	return 0;
#else
	struct mallinfo2 all = mallinfo2();

	return all.uordblks + all.hblkhd;
#endif
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return _cmocka_run_group_tests("sesame", tests, n_tests, NULL, NULL);
}
