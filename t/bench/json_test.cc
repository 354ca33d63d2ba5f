// JSON as it is written.

#include "harness/harness.h"

#include <cstdlib>
#include <functional>
#include <string>

extern "C" {
#include "json.h"
}

static std::string written(const std::function<void(json *)> &write)
{
    char *text = nullptr;
    size_t length = 0;
    json j{open_memstream(&text, &length), false};

    write(&j);
    EXPECT_EQ(json_line_end(&j), 0);
    fclose(j.output);
    std::string result(text, length);
    free(text);
    return result;
}

TEST(Json, ObjectsAndArraysAreWithinEachOther)
{
    EXPECT_EQ(written([](json *j) {
                  json_object_begin(j, nullptr);
                  json_integer(j, "a", UINT64_MAX);
                  json_array_begin(j, "b");
                  json_array_begin(j, nullptr);
                  json_integer(j, nullptr, 1);
                  json_integer(j, nullptr, 2);
                  json_array_end(j);
                  json_object_begin(j, nullptr);
                  json_object_end(j);
                  json_array_end(j);
                  json_truth(j, "c", true);
                  json_truth(j, "d", false);
                  json_real(j, "e", 0.1);
                  json_text(j, "f", nullptr);
                  json_object_end(j);
              }),
              "{\"a\":18446744073709551615,\"b\":[[1,2],{}],\"c\":true,\"d\":false,\"e\":0.100000,"
              "\"f\":null}\n");
}

TEST(Json, CountsAreByTheirPlaces)
{
    const uint64_t counts[] = {1, 0, 0, 2}, none[] = {0};

    EXPECT_EQ(written([&](json *j) {
                  json_object_begin(j, nullptr);
                  json_counts(j, "a", counts, 4);
                  json_counts(j, "b", none, 1);
                  json_object_end(j);
              }),
              "{\"a\":{\"0\":1,\"3\":2},\"b\":{}}\n");
}

TEST(Json, LinesFollowEachOther)
{
    EXPECT_EQ(written([](json *j) {
                  json_text(j, nullptr, "one");
                  json_line_end(j);
                  json_text(j, nullptr, "two");
              }),
              "\"one\"\n\"two\"\n");
}

TEST(Json, TextIsEscaped)
{
    EXPECT_EQ(written([](json *j) { json_text(j, nullptr, "\"a\\b\"\n\x7f/\xe9"); }),
              "\"\\\"a\\\\b\\\"\\u000a\\u007f/\\u00e9\"\n");
}

TEST(Json, TellsWhenItIsLost)
{
    json j{fopen("/dev/full", "w"), false};

    json_truth(&j, nullptr, true);
    EXPECT_LT(json_line_end(&j), 0);
    fclose(j.output);
}
