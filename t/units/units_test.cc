// Numbers, durations and sizes as people write them.

#include "harness/harness.h"

#include <cerrno>
#include <string>

#include <asynwsgi/units.h>

using Parse = int (*)(const char *, uint64_t *);

// The value, or the negative error.
static int64_t read(Parse parse, const std::string &text)
{
    uint64_t value = 4711;
    int error = parse(text.c_str(), &value);

    if (error < 0) {
        EXPECT_EQ(value, 4711u) << text << " failed and gave a value";
        return error;
    }
    return (int64_t)value;
}

static const int64_t SECOND = 1000000000;

TEST(Number, IsRead)
{
    EXPECT_EQ(read(units_number_parse, "0"), 0);
    EXPECT_EQ(read(units_number_parse, "0042"), 42);
    for (const char *text : {"", "-1", "+1", " 1", "1 ", "1.5", "0x10", "a"})
        EXPECT_EQ(read(units_number_parse, text), -EINVAL) << text;

    uint64_t most;
    EXPECT_EQ(units_number_parse("18446744073709551615", &most), 0);
    EXPECT_EQ(most, UINT64_MAX);
    EXPECT_EQ(read(units_number_parse, "18446744073709551616"), -ERANGE);
    EXPECT_EQ(read(units_number_parse, "99999999999999999999"), -ERANGE);
}

TEST(Duration, IsRead)
{
    EXPECT_EQ(read(units_duration_parse, "90"), 90 * SECOND);
    EXPECT_EQ(read(units_duration_parse, "0"), 0);
    EXPECT_EQ(read(units_duration_parse, "90s"), 90 * SECOND);
    EXPECT_EQ(read(units_duration_parse, "1m30s"), 90 * SECOND);
    EXPECT_EQ(read(units_duration_parse, "500ms"), SECOND / 2);
    EXPECT_EQ(read(units_duration_parse, "250us"), 250000);
    EXPECT_EQ(read(units_duration_parse, "2h"), 7200 * SECOND);
    EXPECT_EQ(read(units_duration_parse, "1h1m1s1ms"), 3661 * SECOND + 1000000);
    EXPECT_EQ(read(units_duration_parse, "1h5ms"), 3600 * SECOND + 5000000);
}

TEST(Duration, IsRefused)
{
    for (const char *text :
         {"", "s", "-1s", "1x", "1 s", "1.5s", "1m30", "30s1m", "1s1s", "1sm", "1S", "ms", "1m s"})
        EXPECT_EQ(read(units_duration_parse, text), -EINVAL) << text;
    for (const char *text :
         {"18446744074", "18446744074s", "99999999999999999999", "5124096h", "5124095h99999999m"})
        EXPECT_EQ(read(units_duration_parse, text), -ERANGE) << text;
}

TEST(Size, IsRead)
{
    EXPECT_EQ(read(units_size_parse, "8190"), 8190);
    EXPECT_EQ(read(units_size_parse, "64k"), 65536);
    EXPECT_EQ(read(units_size_parse, "64K"), 65536);
    EXPECT_EQ(read(units_size_parse, "10m"), 10485760);
    EXPECT_EQ(read(units_size_parse, "3G"), 3221225472);
    EXPECT_EQ(read(units_size_parse, "0"), 0);
    for (const char *text : {"", "k", "1kb", "1t", "1 k", "-1", "1.5m", "\v1", "1\v"})
        EXPECT_EQ(read(units_size_parse, text), -EINVAL) << text;
    EXPECT_EQ(read(units_size_parse, "99999999999g"), -ERANGE);
}

TEST(Count, IsRead)
{
    EXPECT_EQ(read(units_count_parse, "100"), 100);
    EXPECT_EQ(read(units_count_parse, "20k"), 20000);
    EXPECT_EQ(read(units_count_parse, "2M"), 2000000);
    EXPECT_EQ(read(units_count_parse, "1G"), 1000000000);
    for (const char *text : {"", "k", "1kk", "1t", "-1", "1.5k"})
        EXPECT_EQ(read(units_count_parse, text), -EINVAL) << text;
    EXPECT_EQ(read(units_count_parse, "18446744073709551615k"), -ERANGE);
}

static std::string write(void (*format)(uint64_t, char *), uint64_t value)
{
    char text[UNITS_ROOM];

    format(value, text);
    return text;
}

TEST(Units, AreWrittenAsTheyAreRead)
{
    EXPECT_EQ(write(units_duration_format, 0), "0");
    EXPECT_EQ(write(units_duration_format, 30 * SECOND), "30s");
    EXPECT_EQ(write(units_duration_format, 75 * SECOND), "1m15s");
    EXPECT_EQ(write(units_duration_format, 3600 * SECOND + 1000000), "1h1ms");
    EXPECT_EQ(write(units_duration_format, 1500000), "1ms500us");
    EXPECT_EQ(write(units_size_format, 0), "0");
    EXPECT_EQ(write(units_size_format, 8190), "8190");
    EXPECT_EQ(write(units_size_format, 65536), "64k");
    EXPECT_EQ(write(units_size_format, 1 << 30), "1g");
    EXPECT_EQ(write(units_number_format, UINT64_MAX), "18446744073709551615");

    uint64_t value;
    EXPECT_EQ(units_duration_parse(write(units_duration_format, UINT64_MAX).c_str(), &value), 0);
    EXPECT_EQ(value, UINT64_MAX / 1000 * 1000);
}
