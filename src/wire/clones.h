/* SPDX-License-Identifier: MIT */
/*
 * Functions that are worth having twice: for every processor, and for those
 * with wider vectors; the loader takes the right one. Not under sanitizers,
 * which are not ready yet when the loader asks.
 */
#ifndef WIRE_CLONES_H
#define WIRE_CLONES_H

#include <stddef.h> /* says whether this is glibc */

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||           \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SES_CLONES
#elif defined(__x86_64__) && defined(__GLIBC__)
#define SES_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define SES_CLONES
#endif

#endif
