/* SPDX-License-Identifier: MIT */
/*
 * Random bytes from the kernel. Masks are needed four bytes at a time, once
 * per frame; a stock of them per thread saves the system calls. A child must
 * not draw from the stock of its parent.
 */
#include "net/addr.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define STOCK_BYTES 4096

static _Thread_local struct {
	uint8_t bytes[STOCK_BYTES];
	size_t left;
} stock;

static void drop_stock(void)
{
	stock.left = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, drop_stock);
}

void ses_random(void *out, size_t len)
{
	uint8_t *to = out;

	while (len > 0) {
		ssize_t n = getrandom(to, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			perror("sesame: getrandom");
			abort();
		}
		to += n;
		len -= (size_t)n;
	}
}

uint32_t ses_random32(void)
{
	uint32_t value;

	if (stock.left == 0) {
		ses_random(stock.bytes, STOCK_BYTES);
		stock.left = STOCK_BYTES;
	}
	stock.left -= sizeof(value);
	memcpy(&value, stock.bytes + stock.left, sizeof(value));
	return value;
}
