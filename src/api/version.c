/* SPDX-License-Identifier: BSD-2-Clause */
#include <maskdm/common.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

int maskdm_version(void)
{
    return MASKDM_VERSION;
}

const char *maskdm_version_string(void)
{
    return TEXT(MASKDM_VERSION_MAJOR) "." TEXT(MASKDM_VERSION_MINOR) "." TEXT(MASKDM_VERSION_PATCH);
}
