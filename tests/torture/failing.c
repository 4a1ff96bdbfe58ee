/* SPDX-License-Identifier: MIT */
/*
 * To be loaded before a program (LD_PRELOAD): of its allocations, and of those of
 * every library it uses, one of so many fails, as long as the file FAILING_RATE
 * says how many: four bytes, 0 for none, which may be changed while it runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

#define SEEN __attribute__((visibility("default")))

static _Atomic uint32_t none;
static _Atomic uint32_t *rate = &none;

__attribute__((constructor)) static void look_at_file(void)
{
	const char *name = getenv("FAILING_RATE");
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	void *at = MAP_FAILED;

	if (fd >= 0) {
		at = mmap(NULL, sizeof(*rate), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (at != MAP_FAILED)
		rate = at;
}

static int fails(void)
{
	static _Thread_local uint32_t random;
	uint32_t n = atomic_load_explicit(rate, memory_order_relaxed);

	if (!n)
		return 0;
	if (!random)
		random = (uint32_t)(uintptr_t)&random;
	random = random * 1103515245u + 12345u;
	if ((random >> 8) % n)
		return 0;
	errno = ENOMEM;
	return 1;
}

SEEN void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

SEEN void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

SEEN void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}
