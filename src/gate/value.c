/* SPDX-License-Identifier: MIT */
/* Numbers with units, and addresses with ports. */
#include "gate/value.h"

#include <stdio.h>

#include "gate/match.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static bool read_with_unit(struct bytes text, const struct unit *units,
			   size_t n_units, uint64_t *ret)
{
	size_t digits = 0;
	uint64_t number;
	struct bytes unit;

	while (digits < text.len && text.data[digits] >= '0' &&
	       text.data[digits] <= '9')
		digits++;
	if (!bytes_to_u64(bytes_first(text, digits), UINT64_MAX / 4, &number))
		return false;
	unit = bytes_trim(bytes_from(text, digits));
	for (size_t i = 0; i < n_units; i++) {
		if (!bytes_equal_nocase(unit, bytes_of_str(units[i].name)))
			continue;
		if (number > UINT64_MAX / units[i].factor)
			return false;
		*ret = number * units[i].factor;
		return true;
	}
	return false;
}

/* Smaller before larger ones; those of thousands are read, and not written. */
static const struct unit sizes[] = {
	{"", 1},	  {"KiB", 1 << 10}, {"MiB", 1 << 20},
	{"GiB", 1 << 30}, {"B", 1},	    {"kB", 1000},
	{"MB", 1000000},  {"GB", 1000000000},
};

static const struct unit times[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

#define N_WRITTEN 4 /* of either */

bool gate_size_read(struct bytes text, uint64_t *ret_bytes)
{
	return read_with_unit(text, sizes, sizeof(sizes) / sizeof(sizes[0]),
			      ret_bytes);
}

bool gate_duration_read(struct bytes text, uint64_t *ret_ms)
{
	return read_with_unit(text, times, sizeof(times) / sizeof(times[0]),
			      ret_ms);
}

/* By the largest unit of which there is a whole number. */
static const char *write_with_unit(uint64_t n, const struct unit *units,
				   char out[GATE_VALUE_SIZE])
{
	int i = N_WRITTEN - 1;

	while (i > 0 && (n == 0 || n % units[i].factor))
		i--;
	snprintf(out, GATE_VALUE_SIZE, "%llu%s",
		 (unsigned long long)(n / units[i].factor), units[i].name);
	return out;
}

const char *gate_size_write(uint64_t bytes, char out[GATE_VALUE_SIZE])
{
	return write_with_unit(bytes, sizes, out);
}

const char *gate_duration_write(uint64_t ms, char out[GATE_VALUE_SIZE])
{
	return write_with_unit(ms, times, out);
}

bool gate_rate_read(struct bytes text, uint64_t *ret_count,
		    uint64_t *ret_period_ms)
{
	static const struct unit periods[] = {
		{"second", 1000},  {"s", 1000},	      {"minute", 60000},
		{"m", 60000},	   {"hour", 3600000}, {"h", 3600000},
		{"day", 86400000}, {"d", 86400000},
	};
	ptrdiff_t slash = bytes_find_byte(text, '/');
	struct bytes period = bytes_trim(bytes_from(text, (size_t)slash + 1));
	uint64_t count;

	if (slash < 0 ||
	    !bytes_to_u64(bytes_trim(bytes_first(text, (size_t)slash)),
			  UINT32_MAX, &count) ||
	    count == 0)
		return false;
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		if (!bytes_equal_nocase(period, bytes_of_str(periods[i].name)))
			continue;
		*ret_count = count;
		*ret_period_ms = periods[i].factor;
		return true;
	}
	return false;
}

const char *gate_listen_read(struct bytes text, struct bytes *ret_host,
			     uint16_t *ret_port)
{
	ptrdiff_t bracket = bytes_find_byte(text, ']');
	struct bytes after = bytes_from(text, (size_t)(bracket + 1)), host;
	ptrdiff_t colon = bytes_find_byte(after, ':');
	struct gate_address ignored;
	uint64_t port;

	if (colon < 0)
		return "needs a port, as in 127.0.0.1:8080 or [::1]:8080";
	host = bytes_first(text, (size_t)(bracket + 1 + colon));
	after = bytes_from(after, (size_t)colon + 1);
	if (bytes_find_byte(after, ':') >= 0)
		return "needs brackets round an IPv6 address, as in [::1]:8080";
	if (!bytes_to_u64(after, 65535, &port))
		return "needs a port of 0 to 65535 after the last colon";
	if (bracket >= 0)
		host = bytes_from(bytes_first(host, host.len - 1), 1);
	if (!gate_address_read(host, &ignored) ||
	    (bytes_find_byte(host, ':') >= 0) != (bracket >= 0))
		return "needs an IPv4 or IPv6 address before the port, not a "
		       "name";
	*ret_host = host;
	*ret_port = (uint16_t)port;
	return NULL;
}

int gate_choice_read(const char *choices, struct bytes text)
{
	for (int i = 0; *choices; i++) {
		size_t len = strcspn(choices, "|");

		if (bytes_equal(text, bytes_of(choices, len)))
			return i;
		choices += len + (choices[len] == '|');
	}
	return -1;
}
