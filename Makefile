# SPDX-License-Identifier: MIT
# Names for the common commands; CMake does the work (CMakeLists.txt).
# `make demo` and `make test` need nothing but git, make and a shell: they
# install what is missing (tools/setup says what) and build.

BUILD ?= build
JOBS  ?= $(shell nproc 2>/dev/null || echo 2)
AT    ?= 127.0.0.1:8080
CTEST  = ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

SETUPS = setup-build setup-demo setup-test setup-zoo setup-fuzz setup-valgrind setup-curves setup-bench

.PHONY: all build demo demo-chat demo-game demo-market test asan tsan msan valgrind torture fuzz fuzz-smoke fuzz-long zoo zoo-blind zoo-fix conformance cluster bench bench-channels bench-peers curves \
	install uninstall clean format help $(SETUPS)

help:
	@echo 'make demo    build, and see a refused handshake explained from both ends'
	@echo 'make demo-chat a chat at http://127.0.0.1:8080/, until Ctrl-C (AT=HOST:PORT)'
	@echo 'make demo-game boats on a pond, the same way; demo-market: prices and charts'
	@echo 'make test    build and run every test'
	@echo 'make build   the program ($(BUILD)/sesame), the library, the examples'
	@echo 'make install to /usr/local, or PREFIX=...; uninstall: takes it away'
	@echo 'make asan    the tests under AddressSanitizer and UBSan'
	@echo 'make tsan    those with threads in them under ThreadSanitizer'
	@echo 'make msan    what stands on no other library under MemorySanitizer'
	@echo 'make valgrind a sample of the tests under valgrind'
	@echo 'make torture every call fails in turn, under AddressSanitizer'
	@echo 'make fuzz    each fuzz target for FUZZ_SECONDS seconds (60)'
	@echo 'make fuzz-smoke all of them in a minute or so'
	@echo 'make fuzz-long  until there were FUZZ_RUNS executions (100M)'
	@echo 'make zoo     diagnose real servers and score the verdicts'
	@echo 'make zoo-blind the same without the table of stacks'
	@echo 'make zoo-fix does what the doctor prints open the door?'
	@echo 'make conformance what others do with the table of docs/conformance.md'
	@echo 'make cluster three nodes and Redis through fifty faults'
	@echo 'make bench   speed beside the limits of the machine, and beside peers'
	@echo 'make bench-channels deliveries, their delay, and memory of members'
	@echo 'make curves  how cost grows with connections, rules and bytes'
	@echo 'make bench-peers installs those that packages provide'
	@echo 'make format  gives the code its shape (clang-format)'
	@echo 'make clean   takes away what the others built'

all: build

$(SETUPS): setup-%:
	@tools/setup $*

build: setup-build
	@tools/build $(BUILD) product

demo: setup-demo
	@tools/build $(BUILD) sesame
	@SESAME=$(BUILD)/sesame tools/demo

demo-chat demo-game demo-market: demo-%: setup-demo
	@tools/build $(BUILD) sesame
	@SESAME=$(BUILD)/sesame tools/demo-page $* $(AT)

test: setup-test
	@tools/build $(BUILD)
	$(CTEST)

asan: setup-test
	@tools/build $(BUILD)-asan -DSESAME_SANITIZE=ON
	ctest --test-dir $(BUILD)-asan --output-on-failure -j $(JOBS)

tsan: setup-test
	@tools/build $(BUILD)-tsan -DSESAME_SANITIZE=thread
	ctest --test-dir $(BUILD)-tsan --output-on-failure -j $(JOBS) \
		-R '^(net|ws|hub|gate|flow.(gateway|library|example))'

# What other libraries write is not seen, nor by clang 14 what fstat64() does, so
# those that need these are left out.
MSAN = (base|why|lint)\.[a-z_]*|hub.(backplane|channel|envelope|hub|marks|serve)|ws.conn|net.(addr|loop|proxy|random|stream|timer)|wire.(challenge|chunks|close|deflate|deflate_once|extensions|frame|head|mask|proxy_header|session|url|utf8)|gate.(frames|hide|hops|index|limits|match|pool|sampler)
msan: setup-fuzz
	@CC=clang tools/build $(BUILD)-msan -DSESAME_SANITIZE=memory
	ctest --test-dir $(BUILD)-msan --output-on-failure -j $(JOBS) -R '^($(MSAN))$$'

SAMPLE = base_buf wire_frame wire_head wire_session wire_deflate net_stream \
	ws_server ws_borrowing hub_hub gate_config gate_limits
valgrind: setup-test setup-valgrind
	@tools/build $(BUILD)
	@for test in $(SAMPLE); do echo $$test; \
		valgrind -q --error-exitcode=9 --leak-check=full \
			--errors-for-leak-kinds=definite \
			$(BUILD)/tests/test_$$test || exit 1; done

torture: setup-test
	@tools/build $(BUILD)-asan -DSESAME_SANITIZE=ON
	@for rack in $(BUILD)-asan/tests/torture_*; do \
		SESAME_TORTURE=all $$rack || exit 1; done
	@for rack in library lifetimes gateway; do \
		SESAME_TORTURE=all SESAME_LOOP=io_uring \
			$(BUILD)-asan/tests/torture_$$rack || exit 1; done

fuzz: setup-fuzz
	@tools/fuzz $(BUILD)-fuzz $(or $(FUZZ_SECONDS),60)

fuzz-smoke: setup-fuzz
	@tools/fuzz $(BUILD)-fuzz 60/all

fuzz-long: setup-fuzz
	@tools/fuzz $(BUILD)-fuzz $(or $(FUZZ_RUNS),100M)

zoo: setup-zoo
	@tools/build $(BUILD) sesame
	@SESAME=$(abspath $(BUILD))/sesame tests/zoo/run --jobs 2 $(CASES)

zoo-blind: setup-zoo
	@tools/build $(BUILD) sesame
	@SESAME=$(abspath $(BUILD))/sesame tests/zoo/run --jobs 2 --blind $(CASES)

zoo-fix: setup-zoo
	@tools/build $(BUILD) sesame
	@SESAME=$(abspath $(BUILD))/sesame tests/zoo/fix $(CASES)

# Peers that are not installed are left out.
conformance: setup-test
	@tools/build $(BUILD)
	@SESAME_BUILD=$(abspath $(BUILD)) tests/conformance/matrix.py $(PEERS)

# Three nodes and Redis, and what may befall them: docs/delivery.md.
cluster: setup-test
	@tools/build $(BUILD)
	@SESAME=$(abspath $(BUILD))/sesame SESAME_BUILD=$(abspath $(BUILD)) \
		tests/cluster/run --messages 1000000 --faults 60 --channels 48 \
		--publishers 3 --rate 6000 $(CLUSTER)

# Ten minutes; BENCH= is for bench/run: `make bench BENCH="--only 20x1"`.
bench: setup-curves
	@tools/build $(BUILD)
	@bench/run $(BUILD) --json $(BUILD)/bench.json --plot $(BUILD)/bench.svg \
		--markdown $(BUILD)/bench.md $(BENCH)
	@echo 'Also in $(BUILD)/: bench.json, bench.svg, bench.md'

# How cost grows with connections, rules and the size of messages.
curves: setup-curves
	@tools/build $(BUILD)
	@bench/curves $(BUILD) --json $(BUILD)/curves.json --plot $(BUILD)/curves.svg \
		--markdown $(BUILD)/curves.md $(BENCH)

# Some twenty minutes: one node, and two with a Redis between them.
bench-channels: setup-test
	@tools/build $(BUILD)
	@bench/channels $(BUILD) --json $(BUILD)/channels.json \
		--markdown $(BUILD)/channels.md $(BENCH)

bench-peers: setup-bench

install: setup-build
	@tools/build $(BUILD) product
	cmake --install $(BUILD) --prefix $(or $(PREFIX),/usr/local)
	@# The loader has to hear of a new library in its own places.
	@[ "$$(id -u)" != 0 ] || ldconfig
	@case $(or $(PREFIX),/usr/local) in /usr | /usr/local) ;; *) \
		echo 'Programs that use the library look elsewhere; for these' \
			'docs/library.md has the words.' ;; \
	esac

uninstall:
	@cmake -DMANIFEST=$(abspath $(BUILD))/install_manifest.txt \
		-P packaging/uninstall.cmake
	@[ "$$(id -u)" != 0 ] || ldconfig

format:
	clang-format -i src/*/*.c tests/*/*.c tests/*.c examples/*.c

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-msan $(BUILD)-fuzz
