/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the library says of itself and of the last failure, and whose memory it takes.
 */
#include <maskdm/common.h>

#include "api/argument.h"
#include "base/alloc.h"

#include "config.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define VERSION TEXT(MASKDM_VERSION_MAJOR) "." TEXT(MASKDM_VERSION_MINOR) "." TEXT(MASKDM_VERSION_PATCH)
#ifdef __x86_64__
#  define INSTRUCTION_SETS "[\"c\", \"avx2\"]"
#else
#  define INSTRUCTION_SETS "[\"c\"]"
#endif

int maskdm_version(void)
{
    return MASKDM_VERSION;
}

const char *maskdm_version_string(void)
{
    return VERSION;
}

const char *maskdm_build_info(void)
{
    return "{\"version\": \"" VERSION "\", \"abi\": " TEXT(MASKDM_ABI) ", \"devices\": [\"cpu\"], "
           "\"instruction_sets\": " INSTRUCTION_SETS ", \"blas\": \"" MDM_BLAS_LIBRARY "\", "
           "\"jpeg\": " MDM_JPEG "}";
}

int maskdm_set_allocator(maskdm_allocate_callback allocate, maskdm_free_callback release, void *user)
{
    if (allocate || release) {
        MDM_NEED(allocate);
        MDM_NEED(release);
    }
    return mdm_alloc_lend(allocate, release, user);
}

const char *maskdm_last_error(void)
{
    return mdm_error_text();
}

int maskdm_last_status(void)
{
    return mdm_error_status();
}

const char *maskdm_status_name(int status)
{
    static const char *const names[] = {"MASKDM_OK",        "MASKDM_ENOMEM",    "MASKDM_EINVAL",
                                        "MASKDM_ESHAPE",    "MASKDM_EIO",       "MASKDM_EFORMAT",
                                        "MASKDM_ENOTSUP",   "MASKDM_EVERSION",  "MASKDM_EDEVICE",
                                        "MASKDM_ECANCELED", "MASKDM_ENOTFOUND", "MASKDM_ENONFINITE",
                                        "MASKDM_EBUSY"};

    return status <= 0 && status > -(int)MDM_LENGTH(names) ? names[-status] : "unknown status";
}
