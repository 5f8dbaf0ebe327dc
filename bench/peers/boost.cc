/* SPDX-License-Identifier: MIT */
/* boost.cc: the same work on Boost.Fiber; GOMAXPROCS=2 takes its work-stealing scheduler with two
 * threads. Its buffered channel wants a power of two and holds one less: 128 for 100. */
#include <boost/fiber/all.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

namespace fibers = boost::fibers;
using clock_type = std::chrono::steady_clock;

static void report(const char *name, clock_type::time_point start, long ops)
{
    auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(clock_type::now() - start);
    std::printf("%s %.6g ns\n", name, static_cast<double>(ns.count()) / static_cast<double>(ops));
}

template <class F> static void run_all(long count, F body)
{
    std::vector<fibers::fiber> all;
    all.reserve(static_cast<size_t>(count));
    for (long i = 0; i < count; i++) {
        all.emplace_back(body);
    }
    for (auto &f : all) {
        f.join();
    }
}

static void bench_yield(long n, long members)
{
    auto start = clock_type::now();
    run_all(members, [=] {
        for (long i = 0; i < n / members; i++) {
            boost::this_fiber::yield();
        }
    });
    report("yield", start, n / members * members);
}

static void bench_spawn(long n, long batch)
{
    auto start = clock_type::now();
    for (long done = 0; done < n; done += batch) {
        run_all(batch, [] {});
    }
    report("spawn", start, (n + batch - 1) / batch * batch);
}

static void bench_pingpong(long n)
{
    fibers::unbuffered_channel<long> there, back;
    fibers::fiber echo([&] {
        long v;
        while (there.pop(v) == fibers::channel_op_status::success) {
            back.push(v);
        }
    });
    auto start = clock_type::now();
    for (long i = 0; i < n; i++) {
        long v;
        there.push(i);
        back.pop(v);
    }
    report("pingpong", start, n);
    there.close();
    echo.join();
}

static void bench_prodcons(long n, long capacity, long producers, long consumers)
{
    size_t slots = 2;
    while (slots < static_cast<size_t>(capacity)) {
        slots *= 2;
    }
    fibers::buffered_channel<long> c(slots);
    auto start = clock_type::now();
    std::vector<fibers::fiber> receivers;
    for (long i = 0; i < consumers; i++) {
        receivers.emplace_back([&] {
            long v;
            while (c.pop(v) == fibers::channel_op_status::success) {
            }
        });
    }
    run_all(producers, [&] {
        for (long i = 0; i < n / producers; i++) {
            c.push(i);
        }
    });
    c.close();
    for (auto &f : receivers) {
        f.join();
    }
    report("prodcons", start, n / producers * producers);
}

static void bench_mutex(long n, long members)
{
    fibers::mutex mu;
    long counter = 0;
    auto start = clock_type::now();
    run_all(members, [&] {
        for (long i = 0; i < n / members; i++) {
            std::lock_guard<fibers::mutex> hold(mu);
            counter++;
        }
    });
    report("mutex", start, n / members * members);
}

static int dispatch(int argc, char **argv)
{
    auto arg = [&](int i, long fallback) {
        return i < argc ? std::strtol(argv[i], nullptr, 10) : fallback;
    };
    const char *name = argc > 1 ? argv[1] : "";
    long n = arg(2, 100000);
    if (std::strcmp(name, "yield") == 0) {
        bench_yield(n, arg(3, 2));
    } else if (std::strcmp(name, "spawn") == 0) {
        bench_spawn(n, arg(3, 1000));
    } else if (std::strcmp(name, "pingpong") == 0) {
        bench_pingpong(n);
    } else if (std::strcmp(name, "prodcons") == 0) {
        bench_prodcons(n, arg(3, 100), arg(4, 1), arg(5, 1));
    } else if (std::strcmp(name, "mutex") == 0) {
        bench_mutex(n, arg(3, 8));
    } else {
        std::fprintf(stderr, "usage: bench_boost yield|spawn|pingpong|prodcons|mutex N ...\n");
        return 2;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *text = std::getenv("GOMAXPROCS");
    if (!text || std::atoi(text) < 2) {
        return dispatch(argc, argv);
    }
    std::mutex mu;
    fibers::condition_variable_any ended;
    bool end = false;
    std::thread second([&] {
        fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(2, true);
        std::unique_lock<std::mutex> hold(mu);
        ended.wait(hold, [&] { return end; });
    });
    fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(2, true);
    int status = dispatch(argc, argv);
    {
        std::lock_guard<std::mutex> hold(mu);
        end = true;
    }
    ended.notify_all();
    second.join();
    return status;
}
