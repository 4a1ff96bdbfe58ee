/* SPDX-License-Identifier: MIT */
/* The configuration's bytes: a file of at most 16 MiB, whatever it is named. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/config.h"

#define MAX_FILE_BYTES (16 << 20)

static uint8_t *read_all(int fd, size_t *ret_len, const char **ret_wrong)
{
	uint8_t *data = malloc(MAX_FILE_BYTES + 1);
	size_t len = 0;
	ssize_t n = 0;

	while (data && len <= MAX_FILE_BYTES &&
	       (n = read(fd, data + len, MAX_FILE_BYTES + 1 - len)) > 0)
		len += (size_t)n;
	if (data && n == 0 && len <= MAX_FILE_BYTES) {
		*ret_len = len;
		return data;
	}
	*ret_wrong = !data   ? "out of memory"
		     : n < 0 ? strerror(errno)
			     : "it is longer than 16 MiB";
	free(data);
	return NULL;
}

/* Keep @file as it is called from the root on: false without memory. */
static bool keep_whole_name(struct gate_policy *policy, const char *file)
{
	char folder[PATH_MAX] = "";

	if (file[0] != '/' && !getcwd(folder, sizeof(folder)))
		return true; /* the folder is gone, and has no name */
	return asprintf(&policy->whole_file, "%s%s%s", folder,
			folder[0] ? "/" : "", file) >= 0;
}

struct gate_policy *gate_config_read(const char *file, struct ses_buf *errors)
{
	/* A pipe that nobody writes to must not hold us. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct gate_policy *policy = NULL;
	const char *wrong = "";
	size_t len = 0;
	uint8_t *data;

	if (fd < 0) {
		ses_buf_printf(errors, "%s: cannot be opened: %s\n", file,
			       strerror(errno));
		return NULL;
	}
	data = read_all(fd, &len, &wrong);
	close(fd);
	if (data)
		policy = gate_config_parse(file, bytes_of(data, len), true,
					   errors);
	else
		ses_buf_printf(errors, "%s: cannot be read: %s\n", file, wrong);
	free(data);
	if (policy && !keep_whole_name(policy, file)) {
		policy->whole_file = NULL;
		gate_policy_unref(policy);
		policy = NULL;
		ses_buf_printf(errors, "%s: out of memory\n", file);
	}
	return policy;
}
