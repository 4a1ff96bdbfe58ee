/* SPDX-License-Identifier: MIT */
/* Where scripts say that their WebSocket is. */
#include "test.h"

#include "doctor/harvest_inner.h"

static const char client[] =
	"const viewport = 9999, transport = 8888;\n"
	"const hmrPort = 24678;\n"
	"const socketHost = `${null || importMetaUrl.hostname}:${hmrPort}`;\n"
	"const directSocketHost = \"localhost:24679/deep/\";\n"
	"const base$1 = \"/shop/\" || '/';\n"
	"const wsToken = \"aB3-x_9\";\n"
	"const socket = new WebSocket(`${protocol}://${hostAndPath}?token="
	"${wsToken}`, 'vite-hmr');\n";
static const char bundle[] =
	"client.js?protocol=ws%3A&hostname=0.0.0.0&port=8081&pathname=%2Fws"
	"&logging=info; new WebSocket(url)";

static struct doctor_values v;

static bool has(const char *value)
{
	for (size_t i = 0; i < v.n; i++)
		if (strcmp(v.value[i], value) == 0)
			return true;
	return false;
}

TEST("ports are read from names of ports and from addresses, no others")
{
	struct doctor_case c = {.url = {.port = 8080}};

	v.n = 0;
	doctor_add_script_ports(&c, bytes_of_str(client), &v);
	assert_int_equal(v.n, 2);
	assert_true(has("24678") && has("24679"));
	v.n = 0;
	doctor_add_script_ports(&c, bytes_of_str(bundle), &v);
	assert_int_equal(v.n, 1);
	assert_true(has("8081"));
	v.n = 0;
	doctor_add_script_ports(&c, BYTES("const port = 24678;"), &v);
	assert_int_equal(v.n, 0); /* it opens nothing */
}

TEST("paths are read from bases, addresses and encoded names")
{
	v.n = 0;
	doctor_add_script_paths(bytes_of_str(client), &v);
	assert_true(has("/shop/") && has("/deep/"));
	v.n = 0;
	doctor_add_script_paths(bytes_of_str(bundle), &v);
	assert_true(has("/ws"));
}

TEST("a parameter of the call has the value that its variable was given")
{
	v.n = 0;
	doctor_add_script_parameters(bytes_of_str(client), &v);
	assert_int_equal(v.n, 1);
	assert_true(has("token=aB3-x_9"));
	v.n = 0;
	doctor_add_script_parameters(BYTES("new WebSocket(a + '?t=' + b)"), &v);
	doctor_add_script_parameters(BYTES("new WebSocket('?"), &v);
	doctor_add_script_parameters(BYTES("new WebSocket('?t="), &v);
	assert_int_equal(v.n, 0);
}
