/* SPDX-License-Identifier: MIT */
/* The doors: who is turned away there is told of, once in a while. */
#include "gate/gate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/config.h"
#include "test.h"

/* Connect to @gate and let it look. What it said to the connection. */
static ssize_t knock(struct gate *gate)
{
	struct gate_entrance *entrance = ses_container_of(
		gate->entrances.next, struct gate_entrance, link);
	struct ses_addr *at = &entrance->listener.at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n;
	char byte;

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &at->any, at->len), 0);
	assert_true(sesame_loop_turn(gate->loop, 1000) >= 0);
	n = recv(fd, &byte, 1, MSG_DONTWAIT);
	close(fd);
	return n;
}

TEST("a gateway that is full closes, and says so once")
{
	struct sesame_loop *loop = sesame_loop_new();
	struct gate_policy *policy = gate_config_builtin();
	char text[512], told[2048] = "";
	int kept = dup(STDERR_FILENO), ends[2];
	struct gate_doors *doors;
	struct gate *gate;

	policy->listen[0].port = 0;
	doors = gate_doors_open(policy, 1, NULL, text, sizeof(text));
	assert_non_null(doors);
	gate = gate_new(loop, 0, NULL);
	assert_non_null(gate);
	assert_int_equal(gate_serve(gate, doors), 0);
	gate_doors_unref(doors);
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	dup2(ends[1], STDERR_FILENO);
	gate->n_visits = GATE_MAX_VISITS;
	for (int i = 0; i < 3; i++)
		assert_int_equal(knock(gate), 0);
	dup2(kept, STDERR_FILENO);
	assert_true(read(ends[0], told, sizeof(told) - 1) > 0);
	assert_non_null(strstr(told, "holds no more; 100000 are open\n"));
	assert_ptr_equal(strchr(told, '\n'), strrchr(told, '\n'));
	gate->n_visits = 0;
	gate_free(gate);
	gate_policy_unref(policy);
	sesame_loop_free(loop);
	close(ends[0]);
	close(ends[1]);
	close(kept);
}

TEST("a worker that could not take a door up gets another socket at a reload")
{
	struct sesame_loop *loop = sesame_loop_new();
	struct gate_policy *policy = gate_config_builtin();
	struct gate_doors *doors, *next;
	struct gate *gate;
	char text[512];
	int pair[2];

	policy->listen[0].port = 0;
	doors = gate_doors_open(policy, 1, NULL, text, sizeof(text));
	gate = gate_new(loop, 0, NULL);
	assert_non_null(doors);
	assert_non_null(gate);
	/* what stands there is no listener */
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	close(doors->door[0].fd[0]);
	doors->door[0].fd[0] = pair[0];
	assert_true(gate_serve(gate, doors) < 0);
	next = gate_doors_open(policy, 1, doors, text, sizeof(text));
	assert_non_null(next);
	assert_int_equal(next->door[0].id, doors->door[0].id);
	assert_int_equal(gate_serve(gate, next), 0);
	/* and one that was not told gives its new sockets up */
	gate_doors_unref(doors);
	doors = gate_doors_open(policy, 1, NULL, text, sizeof(text));
	assert_non_null(doors);
	gate_doors_forgo(doors, 0);
	assert_int_equal(doors->door[0].fd[0], -1);
	gate_doors_unref(doors);
	gate_doors_unref(next);
	gate_free(gate);
	gate_policy_unref(policy);
	sesame_loop_free(loop);
	close(pair[1]);
}
