// Compiled once more with HTTP_SCAN_AVX2.

#include "harness/harness.h"

#include <algorithm>
#include <vector>

#include <scan.h>

namespace {

#ifdef HTTP_SCAN_AVX2
const size_t most = 100;
#else
const size_t most = 50;
#endif

class Scan : public testing::Test {
  protected:
    void SetUp() override
    {
#ifdef HTTP_SCAN_AVX2
        if (!__builtin_cpu_supports("avx2"))
            GTEST_SKIP() << "this processor has no AVX2";
#endif
    }
};

// Every byte, at every place of a block and of what is left behind one, against the class that the
// scalar code has, with bytes before the first that stop nothing, and without. The memory ends
// where the bytes do, for a sanitizer to see.
void expect_stops(const unsigned char *(*scan)(const unsigned char *, const unsigned char *,
                                               const unsigned char *),
                  bool (*in_class)(unsigned char), unsigned char plain)
{
    for (size_t length = 0; length < most; length++)
        for (size_t before : {size_t{0}, size_t{7}, most}) {
            std::vector<unsigned char> bytes(before + length, plain);
            std::fill_n(bytes.begin(), before, 0);
            const unsigned char *start = bytes.data(), *end = start + bytes.size();
            ASSERT_EQ(scan(start + before, end, start), end);
            for (size_t place = before; place < bytes.size(); place++) {
                for (int byte = 0; byte < 256; byte++) {
                    bytes[place] = static_cast<unsigned char>(byte);
                    ASSERT_EQ(scan(start + before, end, start),
                              in_class(bytes[place]) ? end : &bytes[place])
                        << "byte " << byte << " at " << place << " of " << length;
                }
                bytes[place] = plain;
            }
        }
}

void expect_all(bool (*all)(const unsigned char *, size_t), bool (*in_class)(unsigned char),
                unsigned char plain)
{
    for (size_t length = 0; length < most; length++) {
        std::vector<unsigned char> bytes(length, plain);
        ASSERT_TRUE(all(bytes.data(), length)) << length;
        for (size_t place = 0; place < length; place++)
            for (int byte = 0; byte < 256; byte++) {
                std::vector<unsigned char> changed = bytes;
                changed[place] = static_cast<unsigned char>(byte);
                ASSERT_EQ(all(changed.data(), length), in_class(changed[place]))
                    << "byte " << byte << " at " << place << " of " << length;
            }
    }
}

TEST_F(Scan, Value)
{
    expect_all(all_value, is_value, 'a');
    for (int byte = 0; byte < 256; byte++)
        EXPECT_EQ(is_value(static_cast<unsigned char>(byte)),
                  byte == '\t' || (byte >= ' ' && byte != 0x7f));
}

TEST_F(Scan, Text)
{
    expect_stops(scan_text, is_text, 'a');
    for (int byte = 0; byte < 256; byte++)
        EXPECT_EQ(is_text(static_cast<unsigned char>(byte)), byte >= ' ' && byte < 0x7f);
}

TEST_F(Scan, Query)
{
    expect_stops(scan_query, is_query, 'q');
    for (int byte = 0; byte < 256; byte++)
        EXPECT_EQ(is_query(static_cast<unsigned char>(byte)),
                  byte > ' ' && byte < 0x7f && byte != '#');
}

TEST_F(Scan, Path)
{
    expect_stops(scan_path, is_path, '/');
    for (int byte = 0; byte < 256; byte++)
        EXPECT_EQ(is_path(static_cast<unsigned char>(byte)),
                  byte > ' ' && byte < 0x7f && byte != '#' && byte != '?' && byte != '%');
}

TEST_F(Scan, Name)
{
    expect_stops(scan_name, is_name, 'a');
    expect_all(all_name, is_name, 'a');
    for (int byte = 0; byte < 256; byte++)
        EXPECT_EQ(is_name(static_cast<unsigned char>(byte)),
                  (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '-');
}

// As the two that it is.
TEST_F(Scan, Line)
{
    for (size_t length = 1; length < most; length++)
        for (size_t before : {size_t{0}, size_t{7}, most})
            for (size_t name = 0; name <= length; name++)
                for (size_t text = name; text <= length; text++) {
                    std::vector<unsigned char> bytes(before + length, 'a');
                    const unsigned char *start = bytes.data(), *line = start + before;
                    if (name < length)
                        bytes[before + name] = ':';
                    if (text < length)
                        bytes[before + text] = '\r';
                    const unsigned char *name_end;
                    ASSERT_EQ(scan_line(line, line + length, start, &name_end), line + text);
                    ASSERT_EQ(name_end, line + name) << length << " " << text;
                }
}

} // namespace
