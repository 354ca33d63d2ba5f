/* The asynwsgi command. */

#include <stdio.h>

#include "config.h"

int main(void)
{
    return printf("asynwsgi %s\n", PACKAGE_VERSION) < 0;
}
