#include "harness/harness.h"

#include <vector>

#include <scan.h>

// Every byte, at every place of a block and of what is left behind one, against the class that the
// scalar code has; the memory ends where the bytes do, for a sanitizer to see.
static void expect_stops(const unsigned char *(*scan)(const unsigned char *, const unsigned char *),
                         bool (*in_class)(unsigned char), unsigned char plain)
{
    for (size_t length = 0; length < 50; length++)
        for (size_t place = 0; place < length; place++)
            for (int byte = 0; byte < 256; byte++) {
                std::vector<unsigned char> bytes(length, plain);
                bytes[place] = static_cast<unsigned char>(byte);
                const unsigned char *end = bytes.data() + length;
                ASSERT_EQ(scan(bytes.data(), end), in_class(bytes[place]) ? end : &bytes[place])
                    << "byte " << byte << " at " << place << " of " << length;
            }
}

static void expect_all(bool (*all)(const unsigned char *, size_t), bool (*in_class)(unsigned char),
                       unsigned char plain)
{
    for (size_t length = 0; length < 50; length++) {
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

TEST(Scan, Value)
{
    expect_stops(scan_value, is_value, 'a');
    expect_all(all_value, is_value, 'a');
    for (int byte = 0; byte < 256; byte++)
        EXPECT_EQ(is_value(static_cast<unsigned char>(byte)),
                  byte == '\t' || (byte >= ' ' && byte != 0x7f));
}

TEST(Scan, Query)
{
    expect_stops(scan_query, is_query, '?');
    for (int byte = 0; byte < 256; byte++)
        EXPECT_EQ(is_query(static_cast<unsigned char>(byte)),
                  byte > ' ' && byte < 0x7f && byte != '#');
}

TEST(Scan, Path)
{
    expect_stops(scan_path, is_path, '/');
    for (int byte = 0; byte < 256; byte++)
        EXPECT_EQ(is_path(static_cast<unsigned char>(byte)),
                  byte > ' ' && byte < 0x7f && byte != '#' && byte != '?' && byte != '%');
}

TEST(Scan, Name)
{
    expect_stops(scan_name, is_name, 'a');
    expect_all(all_name, is_name, 'a');
    for (int byte = 0; byte < 256; byte++)
        EXPECT_EQ(is_name(static_cast<unsigned char>(byte)),
                  (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '-');
}
