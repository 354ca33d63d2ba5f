/*
 * Dates as RFC 9110, 5.6.7 wants them: IMF-fixdate, always in English and GMT,
 * which strftime() leaves to the locale.
 */
#include <string.h>

#include <asynwsgi/http.h>

/* The last second of the year 9999, for which four digits suffice. */
#define LAST_SECOND 253402300799

static void put_digits(char *output, int count, unsigned number)
{
    while (count-- > 0) {
        output[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

void http_date_format(int64_t seconds_since_epoch, char date[HTTP_DATE])
{
    static const char blank[] = "Www, 00 Mmm 0000 00:00:00 GMT";
    /* From the first day of 1970, and from March. */
    static const char weekdays[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[][4] = {"Mar", "Apr", "May", "Jun", "Jul", "Aug",
                                     "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"};
    int64_t seconds = seconds_since_epoch < 0 ? 0 : seconds_since_epoch;
    unsigned day, time, century, year, month;

    if (seconds > LAST_SECOND)
        seconds = LAST_SECOND;
    day = (unsigned)(seconds / 86400);
    time = (unsigned)(seconds % 86400);
    for (size_t i = 0; i < HTTP_DATE; i++)
        date[i] = blank[i];
    memcpy(date, weekdays[day % 7], 3);
    put_digits(date + 17, 2, time / 3600);
    put_digits(date + 20, 2, time / 60 % 60);
    put_digits(date + 23, 2, time % 60);

    /*
     * Days are counted from 1 March of the year 0, so that a leap day comes
     * last in its year, century and 400 years, which are 146097 days.
     */
    day = 4 * (day + 719468) + 3;
    century = day / 146097;
    day = day % 146097 | 3;
    year = 100 * century + day / 1461;
    day = day % 1461 / 4;
    month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    put_digits(date + 5, 2, day + 1);
    memcpy(date + 8, months[month], 3);
    put_digits(date + 12, 4, year + (month >= 10));
}
