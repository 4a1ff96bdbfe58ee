/* SPDX-License-Identifier: MIT */
/*
 * Putting a page where it was wanted: written beside its place and then moved
 * there, so that nobody ever reads half of one. A path that leads to something
 * else than a file (a pipe, a terminal, /dev/stdout) is written to, never
 * replaced. What can go wrong is an errno here, and told once.
 */
#include "doctor/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "doctor/redact.h"

#define PAGE_LIMIT (16 * 1024 * 1024)

/* Where a page goes, and how. */
struct place {
	char path[PATH_MAX];	   /* of the file itself, not of a link to it */
	char beside[PATH_MAX + 8]; /* the pattern of its name until then */
	bool straight;		   /* no file: written to as it is */
	mode_t mode;
};

static mode_t usual_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int find_place(const char *path, struct place *ret)
{
	struct stat s;

	if (strlen(path) >= sizeof(ret->path))
		return ENAMETOOLONG;
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	ret->mode = usual_mode();
	ret->straight = false;
	if (stat(path, &s) == 0) {
		if (S_ISDIR(s.st_mode))
			return EISDIR;
		if (access(path, W_OK) < 0)
			return errno;
		ret->straight =
			!S_ISREG(s.st_mode) || strncmp(path, "/dev/", 5) == 0;
		ret->mode = s.st_mode & 0777;
		if (!ret->straight && !realpath(path, ret->path))
			return errno;
	} else if (errno != ENOENT) {
		return errno;
	}
	snprintf(ret->beside, sizeof(ret->beside), "%s.XXXXXX", ret->path);
	return 0;
}

static int check(const char *path)
{
	struct place place;
	int fd, r = find_place(path, &place);

	if (r != 0 || place.straight)
		return r;
	fd = mkostemp(place.beside, O_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	unlink(place.beside);
	return 0;
}

static int write_all(int fd, struct bytes page)
{
	while (page.len > 0) {
		ssize_t n = write(fd, page.data, page.len);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			page = bytes_from(page, (size_t)n);
	}
	return 0;
}

/* A pipe that nobody reads would be waited for without end. */
static int write_straight(const char *path, struct bytes page)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r;

	if (fd < 0)
		return errno;
	r = fcntl(fd, F_SETFL, O_WRONLY) < 0 ? errno : write_all(fd, page);
	return close(fd) < 0 && r == 0 ? errno : r;
}

static int publish(const char *path, struct bytes page)
{
	struct place place;
	int fd, r = find_place(path, &place);

	if (r != 0)
		return r;
	if (place.straight)
		return write_straight(path, page);
	fd = mkostemp(place.beside, O_CLOEXEC);
	if (fd < 0)
		return errno;
	r = write_all(fd, page);
	if (r == 0 && fchmod(fd, place.mode) < 0)
		r = errno;
	if (close(fd) < 0 && r == 0)
		r = errno;
	if (r == 0 && rename(place.beside, place.path) < 0)
		r = errno;
	if (r != 0)
		unlink(place.beside);
	return r;
}

/* ---- the report ---- */

/* Whether the page could be put where it is wanted; told when not. */
bool doctor_can_publish(const struct doctor_case *c)
{
	char shown[400];
	int r;

	r = !*c->html || strcmp(c->html, "-") == 0 ? EINVAL : check(c->html);
	if (r == 0)
		return true;
	doctor_redact(c, bytes_of_str(c->html), shown, sizeof(shown));
	fprintf(stderr, "sesame doctor: --html: '%s' cannot be written: %s\n",
		shown,
		r == EINVAL ? "it needs the name of a file" : strerror(r));
	return false;
}

static void tell_time(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm t;

	if (!gmtime_r(&now, &t) ||
	    strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &t) == 0)
		snprintf(out, size, "at an unknown time");
}

bool doctor_publish_report(const struct doctor_chart *chart,
			   const struct doctor_verdict *verdict,
			   double duration_ms, char **argv)
{
	struct ses_buf command, page;
	char when[40];
	int r, reason = 0;

	ses_buf_init(&command, 256 * 1024);
	ses_buf_init(&page, PAGE_LIMIT);
	tell_time(when, sizeof(when));
	r = doctor_repeat_command(chart->c, argv, DOCTOR_FOR_OTHERS, &command);
	if (r == 0)
		r = ses_buf_append(&command, bytes_of("", 1));
	if (r == 0)
		r = doctor_report_html(
			chart, verdict, duration_ms,
			(const char *)ses_buf_bytes(&command).data, when, &page);
	if (r == 0)
		reason = publish(chart->c->html, ses_buf_bytes(&page));
	if (r < 0 || reason)
		fprintf(stderr,
			"sesame doctor: --html: the page cannot be written: "
			"%s\n",
			r < 0		  ? sesame_strerror(r)
			: reason == ENXIO ? "nobody reads what it is to go into"
					  : strerror(reason));
	ses_buf_fini(&page);
	ses_buf_fini(&command);
	return r == 0 && reason == 0;
}
