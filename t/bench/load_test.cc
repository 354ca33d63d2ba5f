// A run as a function: what it allocates, and that it comes to an end when it cannot.

#include "harness/harness.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

extern "C" {
#include "load.h"
}

// A server in a thread, of one connection after the other; it allocates nothing.
class Load : public ::testing::Test {
  protected:
    int listener = -1;
    int stop[2] = {-1, -1};
    std::thread thread;
    std::string url;

    void SetUp() override
    {
        struct sockaddr_in address = {};
        socklen_t length = sizeof address;

        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        listener = socket(AF_INET, SOCK_STREAM, 0);
        ASSERT_EQ(bind(listener, (struct sockaddr *)&address, length), 0);
        ASSERT_EQ(listen(listener, 100), 0);
        getsockname(listener, (struct sockaddr *)&address, &length);
        url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
        ASSERT_EQ(pipe(stop), 0);
        thread = std::thread([this] { serve(); });
    }

    void TearDown() override
    {
        close(stop[1]);
        thread.join();
        close(stop[0]);
        close(listener);
    }

    // Whether there is something to be read, before it is told to stop.
    bool wait_for(int fd) const
    {
        struct pollfd fds[] = {{fd, POLLIN, 0}, {stop[0], POLLIN, 0}};

        return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
    }

    void serve() const
    {
        static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        char buffer[4096];

        while (wait_for(listener)) {
            int fd = accept(listener, nullptr, nullptr);

            // Each read has whole requests of this test, all of one length.
            for (ssize_t n; wait_for(fd) && (n = read(fd, buffer, sizeof buffer)) > 0;)
                if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
                    break;
            close(fd);
        }
    }

    // Run, and give the status and the allocations that it took.
    std::pair<int, unsigned long> run(std::vector<std::string> words)
    {
        std::vector<char *> argv;
        load_options options;
        int status = -1;

        words.insert(words.begin(), "asynwsgi-load");
        words.push_back(url);
        for (std::string &word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        unsigned long before = test_allocations();
        if (load_options_read(&options, argv.data()) == 0)
            status = load_run(&options);
        load_options_fini(&options);
        unsigned long after = test_allocations();
        output = testing::internal::GetCapturedStdout();
        errors = testing::internal::GetCapturedStderr();
        return {status, after - before};
    }

    std::string output, errors;
};

TEST_F(Load, ARequestAllocatesNothing)
{
    for (const std::vector<std::string> &mode :
         {std::vector<std::string>{}, {"-R", "100k"}, {"--no-keepalive"}, {"--body", "text"}}) {
        std::vector<std::string> few = mode, many = mode;

        few.insert(few.end(), {"-c", "1", "-n", "10"});
        many.insert(many.end(), {"-c", "1", "-n", "500"});
        auto [few_status, few_allocations] = run(few);
        auto [many_status, many_allocations] = run(many);
        EXPECT_EQ(few_status, LOAD_DONE) << errors;
        EXPECT_EQ(many_status, LOAD_DONE) << errors;
        EXPECT_EQ(few_allocations, many_allocations);
        EXPECT_NE(output.find("\"statuses\":{\"200\":500}"), std::string::npos) << output;
    }
}

TEST_F(Load, EndsWhenThereIsNoMemory)
{
    for (const std::vector<std::string> &mode :
         {std::vector<std::string>{"--body-size", "10"}, {"--synthesize-post", "1"}}) {
        std::vector<std::string> words = mode;
        unsigned long n = 0;
        int status;

        words.insert(words.end(), {"-c", "1", "-n", "2", "-H", "A: b"});
        do {
            test_fail_allocation(++n);
            status = run(words).first;
            ASSERT_LT(n, 100u);
        } while (status != LOAD_DONE);
        test_fail_allocation(0);
        EXPECT_GT(n, 10u);
    }
}
