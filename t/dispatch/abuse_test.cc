// What a loop must live through: forks, descriptors closed behind its back, threads that come and
// go, more than fits into what the kernel is handed at once; and that nothing allocates after an
// add.

#include "dispatch/fixture.h"
#include "dispatch/syscalls.h"

#include <algorithm>
#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <memory>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

static bool is(const char *backend)
{
    return test_backend() == std::string(backend);
}

// Runs `inside` in a child, which ends with its result.
static int in_child(const std::function<int()> &inside)
{
    pid_t child = fork();
    int status = -1;
    if (child == 0) {
        alarm(20);
        _exit(inside());
    }
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// -- Forks ----------------------------------------------------------------------------------------

TEST(Fork, TheChildMayNotRunTheLoop)
{
    Loop loop;
    Pair pair;
    Target target;
    Waker waker;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    loop.turns(1);
    pair.say();
    dispatch_wake(&waker);
    EXPECT_EQ(in_child([&] { return -dispatch_run(loop); }), ECHILD);
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
    EXPECT_EQ(waker.calls, 1);
}

// In a callback, too, where the parent's loop is at work.
TEST(Fork, NorInACallback)
{
    Loop loop;
    Timer timer;
    int result = 0;
    ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
    timer.on = [&] { result = in_child([&] { return -dispatch_run(loop); }); };
    dispatch_timer_set(&timer, 0);
    loop.turns(1);
    EXPECT_EQ(result, ECHILD);
}

TEST(Fork, TheChildTakesNothingFromItsParent)
{
    Loop loop;
    Pair removed, retracted;
    Target first, second;
    ASSERT_EQ(dispatch_add(loop, &first, removed.ours, DISPATCH_READ), 0);
    ASSERT_EQ(dispatch_add(loop, &second, retracted.ours, DISPATCH_READ), 0);
    loop.turns(1);
    EXPECT_EQ(in_child([&] {
                  dispatch_remove(&first);
                  dispatch_retract(&second);
                  dispatch_free(loop);
                  return 7;
              }),
              7);
    removed.say();
    retracted.say();
    loop.turns(1);
    EXPECT_EQ(first.calls, 1);
    EXPECT_EQ(second.calls, 1);
}

TEST(Fork, TheChildHasALoopOfItsOwn)
{
    Loop loop;
    Pair pair;
    Target target;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    loop.turns(1);
    pair.say();
    EXPECT_EQ(in_child([&] {
                  Loop own;
                  dispatch_remove(&target);
                  target.on = [&](unsigned) { dispatch_stop(own, 9); };
                  if (dispatch_add(own, &target, pair.ours, DISPATCH_READ) < 0)
                      return 1;
                  int status = dispatch_run(own);
                  dispatch_remove(&target);
                  return status;
              }),
              9);
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
}

// -- Descriptors ----------------------------------------------------------------------------------

// The kernel may not keep it open, whoever removes it, and be it in nobody's turn.
TEST(Close, IsFeltAtOnce)
{
    Loop loop;
    Pair idle, ready, unasked;
    Target targets[3];
    Timer timer;
    char byte;
    ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
    ASSERT_EQ(dispatch_add(loop, &targets[0], idle.ours, DISPATCH_READ), 0);
    ASSERT_EQ(dispatch_add(loop, &targets[1], ready.ours, DISPATCH_READ), 0);
    ASSERT_EQ(dispatch_add(loop, &targets[2], unasked.ours, 0), 0);
    timer.on = [&] {
        dispatch_remove(&targets[0]);
        idle.close_ours();
        EXPECT_EQ(read(idle.peer, &byte, 1), 0);
    };
    targets[1].on = [&](unsigned) {
        ready.hear();
        dispatch_remove(&targets[1]);
        ready.close_ours();
        EXPECT_EQ(read(ready.peer, &byte, 1), 0);
    };
    loop.turns(1);
    dispatch_timer_set(&timer, 0);
    ready.say();
    loop.turns(1);
    EXPECT_EQ(timer.calls, 1);
    EXPECT_EQ(targets[1].calls, 1);
    dispatch_remove(&targets[2]);
    unasked.close_ours();
    EXPECT_EQ(read(unasked.peer, &byte, 1), 0);
}

TEST(Close, IsFeltAtOnceAmongMany)
{
    Loop loop;
    Pair pairs[100];
    Target targets[100];
    char byte;
    for (int i = 0; i < 100; i++)
        ASSERT_EQ(dispatch_add(loop, &targets[i], pairs[i].ours, DISPATCH_READ), 0);
    loop.turns(1);
    for (auto &pair : pairs)
        pair.say();
    dispatch_remove(&targets[99]);
    pairs[99].hear();
    pairs[99].close_ours();
    EXPECT_EQ(read(pairs[99].peer, &byte, 1), 0);
    loop.turns(10);
    for (int i = 0; i < 99; i++)
        EXPECT_GE(targets[i].calls, 1);
}

// What is known of it is told once, and costs no turns.
TEST(Close, BehindTheLoopsBack)
{
    for (bool told : {false, true}) {
        VirtualClock clock;
        Loop loop;
        Pair pair, other;
        Target target, bystander;
        int errors = 0;
        target.on = [&](unsigned events) { errors += (events & DISPATCH_ERROR) != 0; };
        ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
        ASSERT_EQ(dispatch_add(loop, &bystander, other.ours, DISPATCH_READ), 0);
        loop.turns(1);
        pair.close_ours();
        if (told)
            dispatch_want(&target, DISPATCH_WRITE);
        waits = 0;
        loop.run_for(20 * MS);
        EXPECT_LE(waits, 5);
        EXPECT_EQ(errors, told || is("poll") ? 1 : 0);
        EXPECT_EQ(target.calls, errors);
        other.say();
        loop.turns(1);
        EXPECT_EQ(bystander.calls, 1);
        dispatch_remove(&target);
        loop.turns(1);
        EXPECT_EQ(target.calls, errors);
    }
}

TEST(Close, OfOneThatIsReady)
{
    VirtualClock clock;
    Loop loop;
    Pair pair;
    Target target;
    int errors = 0;
    target.on = [&](unsigned events) {
        errors += (events & DISPATCH_ERROR) != 0;
        pair.close_ours();
    };
    pair.say();
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    waits = 0;
    loop.run_for(20 * MS);
    EXPECT_LE(waits, 5);
    EXPECT_EQ(errors, is("epoll") ? 0 : 1);
    EXPECT_EQ(target.calls, 1 + errors);
}

// What has happened to a descriptor is not its successor's, which has the number.
TEST(Close, AndTheNumberIsUsedAgain)
{
    for (bool closes : {false, true}) {
        Loop loop;
        Pair pair, next;
        Target former, present;
        ASSERT_EQ(dispatch_add(loop, &former, pair.ours, DISPATCH_READ), 0);
        loop.turns(1);
        pair.say();
        if (closes)
            pair.close_peer();
        dispatch_remove(&former);
        ASSERT_EQ(dup2(next.ours, pair.ours), pair.ours);
        ASSERT_EQ(dispatch_add(loop, &present, pair.ours, DISPATCH_READ), 0);
        loop.turns(3);
        EXPECT_EQ(former.calls + present.calls, 0);
        next.say();
        loop.turns(1);
        EXPECT_EQ(present.calls, 1);
        EXPECT_EQ(present.last, DISPATCH_READ);
    }
}

// An event that the kernel may report unasked, and that is there for good.
TEST(Descriptors, AShutThatNobodyWants)
{
    VirtualClock clock;
    Loop loop;
    Pair pair;
    Target target;
    char block[4096] = {};
    while (write(pair.ours, block, sizeof block) > 0)
        continue;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_WRITE), 0);
    shutdown(pair.peer, SHUT_WR);
    waits = 0;
    loop.run_for(20 * MS);
    EXPECT_LE(waits, 5);
    EXPECT_EQ(target.calls, 0);
    while (read(pair.peer, block, sizeof block) > 0)
        continue;
    loop.turns(3);
    EXPECT_EQ(target.calls, 3);
    EXPECT_EQ(target.last, DISPATCH_WRITE);
    dispatch_want(&target, DISPATCH_READ | DISPATCH_SHUT);
    loop.turns(2);
    EXPECT_EQ(target.last, unsigned(DISPATCH_READ | DISPATCH_SHUT));
    EXPECT_EQ(target.calls, 5);
    dispatch_want(&target, 0);
    waits = 0;
    loop.run_for(20 * MS);
    EXPECT_LE(waits, 5);
    EXPECT_EQ(target.calls, 5);
    pair.close_peer();
    loop.turns(1);
    EXPECT_TRUE(target.last & DISPATCH_HANGUP);
}

// Such a file is always ready, or refused, and not for what isn't wanted.
TEST(Descriptors, AFileThatDoesNotWait)
{
    VirtualClock clock;
    Loop loop;
    Target target;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    ASSERT_EQ(dispatch_add(loop, &target, fd, 0), 0);
    waits = 0;
    loop.run_for(20 * MS);
    EXPECT_LE(waits, 5);
    EXPECT_EQ(target.calls, is("epoll") ? 1 : 0);
    if (!is("epoll")) {
        dispatch_want(&target, DISPATCH_READ | DISPATCH_WRITE);
        loop.turns(3);
        EXPECT_EQ(target.calls, 3);
        EXPECT_EQ(target.last, unsigned(DISPATCH_READ | DISPATCH_WRITE));
    }
    dispatch_remove(&target);
    close(fd);
}

// -- Many -----------------------------------------------------------------------------------------

// More changes, and more events, than fit into the rings of io_uring.
TEST(Many, AllAreHeard)
{
    constexpr int COUNT = 3000;
    rlimit before, limit;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, COUNT + 200);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    {
        Loop loop;
        Pair pair;
        std::vector<std::unique_ptr<Target>> targets;
        std::vector<int> fds;
        for (int i = 0; i<COUNT &&int(limit.rlim_cur)> 100 + i; i++) {
            fds.push_back(dup(pair.ours));
            targets.push_back(std::make_unique<Target>());
            ASSERT_EQ(dispatch_add(loop, targets.back().get(), fds.back(), DISPATCH_READ), 0);
        }
        auto heard = [&](int calls) {
            return std::count_if(targets.begin(), targets.end(),
                                 [&](auto &target) { return target->calls >= calls; });
        };
        loop.turns(1);
        EXPECT_EQ(heard(1), 0);
        pair.say();
        for (int turn = 0; heard(2) < long(targets.size()) && turn < 2000; turn++)
            loop.turns(1);
        EXPECT_EQ(heard(2), long(targets.size()));
        pair.hear();
        loop.turns(20);
        for (auto &target : targets)
            target->calls = 0;
        loop.turns(3);
        EXPECT_EQ(heard(1), 0);
        for (auto &target : targets)
            dispatch_retract(target.get());
        for (int fd : fds)
            close(fd);
    }
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

// -- Threads --------------------------------------------------------------------------------------

TEST(Threads, RunTheLoopInTurn)
{
    Loop loop;
    Pair pair;
    Target target;
    Waker waker;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    loop.turns(2);
    for (int i = 1; i <= 3; i++) {
        std::thread([&] {
            pair.say();
            dispatch_wake(&waker);
            loop.turns(3);
            EXPECT_GE(target.calls, 1);
            pair.hear();
        }).join();
        EXPECT_EQ(waker.calls, 2 * i - 1);
        target.calls = 0;
        loop.turns(2);
        EXPECT_EQ(target.calls, 0);
        pair.say();
        dispatch_wake(&waker);
        loop.turns(1);
        EXPECT_EQ(target.calls, 1);
        EXPECT_EQ(waker.calls, 2 * i);
        pair.hear();
        target.calls = 0;
    }
}

// -- Allocations ----------------------------------------------------------------------------------

TEST(Allocations, AreMadeByAddsOnly)
{
    VirtualClock clock;
    Loop loop;
    Pair pairs[20];
    Target targets[20];
    Timer timers[20];
    Waker waker;
    Signal signal;
    auto add = [&](int i) {
        ASSERT_EQ(dispatch_add(loop, &targets[i], pairs[i].ours, DISPATCH_READ), 0);
        ASSERT_EQ(dispatch_timer_add(loop, &timers[i]), 0);
    };
    for (int i = 0; i < 20; i++)
        add(i);
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    ASSERT_EQ(dispatch_signal_add(loop, &signal, SIGUSR1), 0);
    for (auto &timer : timers)
        timer.on = [] {};
    Timer stop; // as Loop::turns() adds one for itself
    ASSERT_EQ(dispatch_timer_add(loop, &stop), 0);
    stop.on = [&] { dispatch_stop(loop, 0); };
    auto turn = [&] {
        dispatch_timer_set(&stop, 0);
        EXPECT_EQ(dispatch_run(loop), 0);
    };
    turn();

    unsigned long before = test_allocations();
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 20; i++) {
            dispatch_want(&targets[i], (round + i) % 4 | (round % 2 ? DISPATCH_SHUT : 0));
            dispatch_timer_set(&timers[i], i % 3 ? dispatch_now(loop) + i * MS : 0);
        }
        pairs[round].say();
        dispatch_wake(&waker);
        raise(SIGUSR1);
        turn();
        dispatch_update(loop);
        if (round == 10)
            shutdown(pairs[3].peer, SHUT_WR);
        // An add in place of what was removed needs nothing new, either.
        dispatch_remove(&targets[round]);
        dispatch_timer_remove(&timers[round]);
        add(int(round));
        dispatch_retract(&targets[(round + 7) % 20]);
        ASSERT_EQ(dispatch_add(loop, &targets[(round + 7) % 20], pairs[(round + 7) % 20].ours, 0),
                  0);
        turn();
    }
    dispatch_signal_remove(&signal);
    dispatch_waker_remove(&waker);
    for (int i = 0; i < 20; i++) {
        dispatch_remove(&targets[i]);
        dispatch_timer_remove(&timers[i]);
    }
    turn();
    EXPECT_EQ(test_allocations(), before);
    EXPECT_GE(waker.calls, 20);
    EXPECT_GE(signal.calls, 20);
}

// -- Refusals -------------------------------------------------------------------------------------

// From here on io_uring_setup(2) fails with `error`, in this process.
static bool forbid_rings(unsigned error)
{
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST(Refusals, OfTheKernelAreTheCallersToHear)
{
    if (!is("io_uring"))
        GTEST_SKIP() << "only io_uring is forbidden anywhere";
    for (int error : {EPERM, ENOSYS, ENOMEM})
        EXPECT_EQ(in_child([&] {
                      struct dispatch *loop = nullptr;
                      if (!forbid_rings(unsigned(error)))
                          return 1;
                      return -dispatch_new("io_uring", &loop);
                  }),
                  error);
    // A kernel that is too old doesn't know the flags.
    EXPECT_EQ(in_child([&] {
                  struct dispatch *loop = nullptr;
                  return forbid_rings(EINVAL) ? -dispatch_new("io_uring", &loop) : 1;
              }),
              ENOSYS);
}

// Rings aren't counted as locked memory by the kernels that have what we need.
TEST(Refusals, NotForWantOfLockedMemory)
{
    EXPECT_EQ(in_child([&] {
                  rlimit none = {0, 0};
                  struct dispatch *loop = nullptr;
                  if (setrlimit(RLIMIT_MEMLOCK, &none) < 0)
                      return 1;
                  int r = dispatch_new(test_backend(), &loop);
                  dispatch_free(loop);
                  return -r;
              }),
              0);
}
