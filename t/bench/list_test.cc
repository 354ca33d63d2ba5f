// Lists of URLs: words, lines of a file however it is read, what is not there yet.

#include "harness/harness.h"

#include <memory>
#include <vector>

#include <unistd.h>

extern "C" {
#include "list.h"
}

namespace {

class List : public testing::Test {
  public:
    std::unique_ptr<list> l = std::make_unique<list>();
    int pipe_[2] = {-1, -1};
    std::vector<char *> words;

    ~List() override
    {
        list_close(l.get());
        end();
    }

    void end()
    {
        if (pipe_[1] >= 0)
            close(pipe_[1]);
        pipe_[1] = -1;
    }

    // A list of a pipe, by its name in /dev/fd.
    void open()
    {
        ASSERT_EQ(pipe(pipe_), 0);
        std::string name = "/dev/fd/" + std::to_string(pipe_[0]);
        ASSERT_EQ(list_open(l.get(), words.data(), words.size(), name.c_str()), 0);
        close(pipe_[0]);
    }

    void feed(const std::string &text)
    {
        ASSERT_EQ(write(pipe_[1], text.data(), text.size()), (ssize_t)text.size());
    }

    // What comes next: a URL, or what there is instead.
    std::string next()
    {
        const char *text = nullptr;
        size_t length = 0;
        switch (list_next(l.get(), &text, &length)) {
        case LIST_URL:
            return std::string(text, length);
        case LIST_LONG:
            return "too long";
        case LIST_LATER:
            return "later";
        case LIST_END:
            return "end";
        default:
            return "error";
        }
    }
};

TEST_F(List, Words)
{
    char a[] = "a", b[] = " b ";
    words = {a, b};
    ASSERT_EQ(list_open(l.get(), words.data(), words.size(), nullptr), 0);
    EXPECT_EQ(next(), "a");
    EXPECT_EQ(next(), " b ");
    EXPECT_EQ(next(), "end");
    EXPECT_EQ(next(), "end");
}

TEST_F(List, WordsComeBeforeLines)
{
    char a[] = "a";
    words = {a};
    open();
    feed("b\n");
    end();
    EXPECT_EQ(next(), "a");
    EXPECT_EQ(next(), "b");
    EXPECT_EQ(next(), "end");
}

TEST_F(List, LinesWithoutWhatSurroundsThem)
{
    open();
    feed("\n  \r\n a b \t\r\n#c\n  #d\nlast");
    end();
    EXPECT_EQ(next(), "a b");
    EXPECT_EQ(next(), "last");
    EXPECT_EQ(next(), "end");
}

TEST_F(List, LinesInAnyPieces)
{
    open();
    const std::string text = "one\n#two\n three\n\nfour";
    std::string heard;
    for (char byte : text) {
        feed(std::string(1, byte));
        for (std::string found; (found = next()) != "later";)
            heard += found + ",";
    }
    EXPECT_EQ(heard, "one,three,");
    end();
    EXPECT_EQ(next(), "four");
    EXPECT_EQ(next(), "end");
}

TEST_F(List, NothingYet)
{
    open();
    EXPECT_EQ(next(), "later");
    EXPECT_GE(l->fd, 0);
    feed("a");
    EXPECT_EQ(next(), "later");
    feed("\n");
    EXPECT_EQ(next(), "a");
}

TEST_F(List, LinesAsLongAsTheyMayBeAndLonger)
{
    open();
    const std::string fits(LIST_LINE_MAX - 1, 'x');
    size_t at = 0;
    std::string heard;
    const std::string text = fits + "\n" + fits + "yy\n" + fits + fits + fits + "\nend\n";
    while (at < text.size()) {
        std::string piece = text.substr(at, 4096);
        feed(piece);
        at += piece.size();
        for (std::string found; (found = next()) != "later";)
            heard += (found == fits ? "fits" : found) + ",";
    }
    EXPECT_EQ(heard, "fits,too long,too long,end,");
}

TEST_F(List, WhatCannotBeOpened)
{
    EXPECT_EQ(list_open(l.get(), nullptr, 0, "/nonexistent"), -ENOENT);
    l->fd = -1;
}

TEST_F(List, WhatCannotBeRead)
{
    ASSERT_EQ(list_open(l.get(), nullptr, 0, "/"), 0);
    EXPECT_EQ(next(), "error");
}

} // namespace
