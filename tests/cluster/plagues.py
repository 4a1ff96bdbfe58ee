# SPDX-License-Identifier: MIT
"""What befalls a cluster. Each is a function of the stage and a chance
(random.Random), ends what it began, and says in words what it was. Of the
second list Redis has a part."""
import signal
import time

from rooms import BACK, CLIENTS

# By then a node gives up connections that are silent: nothing that was on its way
# to it over these is heard later.
NOTICED = 4.5


def some(chance, *seconds):
    """Short ones pass unnoticed, long ones are noticed: both happen."""
    s = chance.choice(seconds)
    time.sleep(s)
    return "%g s" % s


# ---- Clients and nodes ----

def clients_move(stage, chance):
    node = chance.choice(stage.nodes)
    stage.crowd.say("move", node.number)
    return "clients leave node %d" % node.number


def connections_break(stage, chance):
    stage.crowd.say("leave", 50, 0)
    return "half of the connections break"


def clients_stay_away(stage, chance):
    stage.crowd.say("leave", 20, 3000)
    return "a fifth of the clients stays away for 3 s"


def clients_read_slowly(stage, chance):
    stage.crowd.say("slow", 30, 1500)
    return "a third of the clients does not read for 1.5 s"


def node_dies(stage, chance):
    node = chance.choice(stage.nodes)
    node.kill()
    lasted = some(chance, 0, 0.5, 2)
    stage.forgotten_by(node)
    node.start()
    node.serve()
    return "node %d is killed, and back after %s" % (node.number, lasted)


def node_is_stopped(stage, chance):
    node = chance.choice(stage.nodes)
    node.stop()
    stage.forgotten_by(node)
    node.start()
    node.serve()
    return "node %d is stopped in order, and started" % node.number


def node_is_paused(stage, chance):
    node = chance.choice(stage.nodes)
    node.signal(signal.SIGSTOP)
    lasted = some(chance, 0.3, 1, 7)
    node.signal(signal.SIGCONT)
    return "node %d is paused for %s" % (node.number, lasted)


def node_is_cut_off(stage, chance):
    node = chance.choice(stage.nodes)
    node.machine.lose(CLIENTS)
    lasted = some(chance, 0.5, 6)
    node.machine.find(CLIENTS)
    return "node %d is parted from its clients for %s" % (node.number, lasted)


ALONE = [clients_move, node_dies, connections_break, clients_read_slowly, node_is_paused,
         clients_stay_away, node_is_cut_off, node_is_stopped]


# ---- Redis ----

def some_are_away(stage):
    """Who comes back later has an id of before."""
    stage.crowd.say("leave", 15, 1000)
    time.sleep(0.05)


def redis_dies(stage, chance):
    some_are_away(stage)
    stage.redis.kill()
    lasted = some(chance, 0, 0.5, 5)
    stage.redis.start()
    stage.redis.serve()
    return "Redis is killed, and back with all it had after %s" % lasted


def redis_dies_and_forgets(stage, chance):
    some_are_away(stage)
    stage.redis.kill()
    lasted = some(chance, 1, 4)
    # All that was accepted before has to be heard of: a node may have been
    # behind, and what it was sent comes late.
    stage.crowd.hears_no_more()
    stage.redis.forget()
    stage.crowd.say("loss")
    stage.redis.start()
    stage.redis.serve()
    return "Redis is killed, and back with nothing after %s" % lasted


def redis_is_paused(stage, chance):
    stage.redis.signal(signal.SIGSTOP)
    lasted = some(chance, 0.5, 2, 7)
    stage.redis.signal(signal.SIGCONT)
    return "Redis is paused for %s" % lasted


def redis_is_lost_to_one(stage, chance):
    node = chance.choice(stage.nodes)
    node.machine.lose(BACK)
    lasted = some(chance, 1, 6)
    node.machine.find(BACK)
    return "node %d is parted from Redis for %s" % (node.number, lasted)


def redis_is_lost_to_all(stage, chance):
    stage.redis.machine.lose(BACK)
    lasted = some(chance, 1, 6)
    stage.redis.machine.find(BACK)
    return "all nodes are parted from Redis for %s" % lasted


def redis_is_not_heard(stage, chance):
    """What a node sends arrives and is done, but no answer comes."""
    node = chance.choice(stage.nodes)
    stage.redis.machine.mute(node.machine.address(BACK))
    lasted = some(chance, 4, 8)
    stage.redis.machine.unmute(node.machine.address(BACK))
    return "node %d hears nothing of Redis for %s" % (node.number, lasted)


def one_node_lags(stage, chance):
    node = chance.choice(stage.nodes)
    node.machine.delay_to(BACK)
    for _ in range(8):
        time.sleep(0.25)
        stage.crowd.say("leave", 15, 0)
    node.machine.undelay_to(BACK)
    return "node %d lags behind the others for 2 s, clients come and go" % node.number


def cable_is_out(stage, chance):
    node = chance.choice(stage.nodes)
    node.machine.unplug(BACK)
    lasted = some(chance, 0.5, 5)
    node.machine.replug(BACK)
    return "node %d has no cable to Redis for %s" % (node.number, lasted)


def redis_is_full(stage, chance):
    stage.redis.ask("CONFIG", "SET", "maxmemory", "1mb")
    lasted = some(chance, 0.5, 3)
    stage.redis.ask("CONFIG", "SET", "maxmemory", "0")
    return "Redis is full for %s" % lasted


def redis_is_slow(stage, chance):
    how = stage.redis.machine.hinder(BACK, chance.choice((20, 200)))
    lasted = some(chance, 2, 4)
    stage.redis.machine.unhinder(BACK)
    return "Redis answers %s for %s" % (how, lasted) if how else redis_stutters(stage, chance)


def redis_stutters(stage, chance):
    end = time.time() + 3
    while time.time() < end:
        stage.redis.signal(signal.SIGSTOP)
        time.sleep(0.15)
        stage.redis.signal(signal.SIGCONT)
        time.sleep(0.02)
    return "Redis runs a tenth of the time for 3 s"


def redis_is_asked_for_clients(stage, chance):
    stage.redis.ask("CLIENT", "KILL", "TYPE", chance.choice(("normal", "pubsub")))
    return "Redis closes connections"


def node_dies_while_redis_is_paused(stage, chance):
    node = chance.choice(stage.nodes)
    stage.redis.signal(signal.SIGSTOP)
    time.sleep(0.3)
    node.kill()
    node.start()
    time.sleep(1)
    stage.redis.signal(signal.SIGCONT)
    node.serve()
    return "node %d is killed while Redis is paused" % node.number


def redis_dies_while_one_is_parted(stage, chance):
    node = chance.choice(stage.nodes)
    node.machine.lose(BACK)
    time.sleep(0.5)
    stage.redis.kill()
    stage.redis.start()
    stage.redis.serve()
    time.sleep(1)
    node.machine.find(BACK)
    return "Redis is killed while node %d is parted from it" % node.number


def redis_fails_over_and_back(stage, chance):
    """Its replica has less, and takes its place; then it has what that one had."""
    first, second = stage.redis, stage.stand_in
    second.start(persists=False)
    second.serve()
    second.follow(first)
    stage.crowd.say("keep")
    second.catch_up(first)
    second.lead()
    some_are_away(stage)
    time.sleep(chance.choice((0.1, 1)))
    first.machine.lose(BACK)
    time.sleep(NOTICED)
    stage.crowd.hears_no_more()
    stage.crowd.say("loss")
    lasted = chance.choice((0, 0.2, 2))
    if lasted:
        second.machine.find(BACK)
        time.sleep(lasted)
        second.machine.lose(BACK)
    first.follow(second)
    first.lead()
    first.machine.find(BACK)
    second.stop()
    return "a replica with less leads for %g s, then Redis again with what that had" % lasted


WITH_REDIS = [redis_dies, node_dies, redis_is_paused, clients_move, redis_is_lost_to_one,
              redis_is_full, redis_is_not_heard, one_node_lags,
              redis_dies_and_forgets, redis_is_lost_to_all, connections_break,
              redis_is_slow, cable_is_out, node_dies_while_redis_is_paused,
              redis_is_asked_for_clients, clients_stay_away, redis_stutters,
              redis_fails_over_and_back, redis_dies_while_one_is_parted, node_is_paused, clients_read_slowly,
              node_is_cut_off, node_is_stopped]
