/* SPDX-License-Identifier: MIT */
/*
 * The scheduler counts a thread's nanoseconds in /proc/PID/task/TID/schedstat;
 * the ticks of /proc/PID/stat would be too coarse for a second's measuring.
 * Memory is what the process alone holds: shared pages are nobody's growth.
 */
#include "load/meter.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

void load_sleep_until(uint64_t at_ns)
{
	struct timespec at = {.tv_sec = (time_t)(at_ns / 1000000000),
			      .tv_nsec = (long)(at_ns % 1000000000)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static uint64_t cpu_of_thread(int pid, const char *thread)
{
	char path[320];
	unsigned long long ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, thread);
	f = fopen(path, "re");
	if (!f)
		return 0; /* it has ended since the folder was read */
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return ns;
}

static int read_cpu(int pid, uint64_t *ret_ns)
{
	char path[64];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	folder = opendir(path);
	if (!folder)
		return SESAME_ESYSTEM;
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			*ret_ns += cpu_of_thread(pid, entry->d_name);
	closedir(folder);
	return 0;
}

/* It has ended, and is kept until who started it has asked how. */
#define ZOMBIE "State:\tZ"

static int read_memory(int pid, uint64_t *ret_bytes)
{
	char path[64], line[256];
	unsigned long long kib;
	bool has_ended = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return SESAME_ESYSTEM;
	while (fgets(line, sizeof(line), f)) {
		has_ended |= strncmp(line, ZOMBIE, sizeof(ZOMBIE) - 1) == 0;
		if (sscanf(line, "RssAnon: %llu kB", &kib) == 1)
			*ret_bytes += kib * 1024;
	}
	fclose(f);
	return has_ended ? SESAME_ESYSTEM : 0;
}

int load_meter_read(const struct load_plan *plan, struct load_reading *ret,
		    int *ret_pid)
{
	struct load_reading sum = {0};

	for (unsigned i = 0; i < plan->n_pids; i++) {
		*ret_pid = plan->pids[i];
		if (read_cpu(plan->pids[i], &sum.cpu_ns) < 0 ||
		    read_memory(plan->pids[i], &sum.memory_bytes) < 0)
			return SESAME_ESYSTEM;
	}
	*ret = sum;
	return 0;
}

static uint64_t ns_of(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

uint64_t load_own_cpu(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return ns_of(usage.ru_utime) + ns_of(usage.ru_stime);
}
