// Histograms: three significant digits over the whole range, percentiles, sums of several.

#include "harness/harness.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

extern "C" {
#include "histogram.h"
}

static std::unique_ptr<histogram> make(const std::vector<uint64_t> &values)
{
    auto made = std::make_unique<histogram>();

    for (uint64_t value : values)
        histogram_record(made.get(), value);
    return made;
}

// The largest value that shares a slot with this one: a larger one is recorded, so that it is not
// cut.
static uint64_t recorded_as(uint64_t value)
{
    return histogram_percentile(make({value, HISTOGRAM_MOST}).get(), 50);
}

TEST(Histogram, IsExactBelowTwoThousand)
{
    for (uint64_t value = 0; value < 2048; value++)
        EXPECT_EQ(recorded_as(value), value);
}

TEST(Histogram, HasThreeDigitsAbove)
{
    for (unsigned bit = 11; bit < HISTOGRAM_WIDTH; bit++)
        for (uint64_t step : {0, 1, 511, 512, 1022, 1023}) {
            uint64_t value = (UINT64_C(1) << bit) + (step << (bit - 10));

            EXPECT_GE(recorded_as(value), value);
            EXPECT_LT(recorded_as(value) - value, (value >> 10) + 1) << value;
            EXPECT_LT(recorded_as(value - 1), value) << "the slot before ends before it";
        }
}

TEST(Histogram, SlotsAreInOrderAndAllUsed)
{
    for (size_t slot = 1; slot < HISTOGRAM_SLOTS; slot++)
        EXPECT_GT(histogram_slot_value(slot), histogram_slot_value(slot - 1));
    EXPECT_EQ(histogram_slot_value(HISTOGRAM_SLOTS - 1), HISTOGRAM_MOST);
}

TEST(Histogram, CountsWhatIsTooLargeAsTheLargest)
{
    auto made = make({5, UINT64_MAX / 2});

    EXPECT_EQ(made->slots[HISTOGRAM_SLOTS - 1], 1u);
    EXPECT_EQ(made->max, UINT64_MAX / 2);
    EXPECT_EQ(histogram_percentile(made.get(), 100), HISTOGRAM_MOST);
}

// 99.9 has no exact double: its product with a count may be over a whole number.
TEST(Histogram, PercentilesAreNotOneTooFar)
{
    std::vector<uint64_t> values(1000);
    for (size_t i = 0; i < values.size(); i++)
        values[i] = i + 1;
    auto made = make(values);
    EXPECT_EQ(histogram_percentile(made.get(), 99.9), 999u);
    EXPECT_EQ(histogram_percentile(made.get(), 99), 990u);
    EXPECT_EQ(histogram_percentile(made.get(), 99.99), 1000u);
}

TEST(Histogram, PercentilesAreThoseOfTheSortedValues)
{
    std::mt19937_64 random(4711);
    std::vector<uint64_t> values;

    for (int i = 0; i < 10000; i++)
        values.push_back((uint64_t)std::exp(std::uniform_real_distribution<>(0, 25)(random)));
    auto made = make(values);
    std::sort(values.begin(), values.end());
    for (double percentile : {0.0, 1.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
        size_t rank = (size_t)std::max(1.0, std::ceil(percentile / 100 * 10000));
        uint64_t exact = values[rank - 1];
        uint64_t found = histogram_percentile(made.get(), percentile);

        EXPECT_GE(found, exact) << percentile;
        EXPECT_LE(found - exact, exact / 1000) << percentile;
    }
}

TEST(Histogram, OfNothingIsZero)
{
    EXPECT_EQ(histogram_percentile(make({}).get(), 99), 0u);
}

TEST(Histogram, SumsAreAsIfRecordedInOne)
{
    auto sum = make({1, 1000, 5000000}), other = make({3, 5000000, 70000000000});
    auto one = make({1, 1000, 5000000, 3, 5000000, 70000000000});

    histogram_add(sum.get(), other.get());
    EXPECT_EQ(sum->count, one->count);
    EXPECT_EQ(sum->sum, one->sum);
    EXPECT_EQ(sum->max, one->max);
    EXPECT_TRUE(std::equal(sum->slots, sum->slots + HISTOGRAM_SLOTS, one->slots));
}
