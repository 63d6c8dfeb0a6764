/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the library says of itself and of the last failure, and whose memory it takes.
 */
#include <maskdm/common.h>

#include "api/argument.h"
#include "backend/options.h"
#include "backend/registry.h"
#include "base/alloc.h"
#include "os/thread.h"

#include <string.h>

#include "config.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define VERSION TEXT(MASKDM_VERSION_MAJOR) "." TEXT(MASKDM_VERSION_MINOR) "." TEXT(MASKDM_VERSION_PATCH)

int maskdm_version(void)
{
    return MASKDM_VERSION;
}

const char *maskdm_version_string(void)
{
    return VERSION;
}

/* Put together once; nothing of it changes. */
static char build_info[512];

static void add(const char *text)
{
    mdm_format(build_info + strlen(build_info), sizeof build_info - strlen(build_info), "%s", text);
}

static void add_name(const char *name, int *count)
{
    add((*count)++ ? ", \"" : "\"");
    add(name);
    add("\"");
}

static void make_build_info(void)
{
    const char *name;
    int here, count = 0;

    add("{\"version\": \"" VERSION "\", \"abi\": " TEXT(MASKDM_ABI) ", \"devices\": [");
    for (size_t i = 0; (name = mdm_registry_name(i, &here)) != NULL; i++)
        if (here)
            add_name(name, &count);
    add("], \"instruction_sets\": [");
    count = 0;
    for (int i = 0; (name = mdm_instruction_set(i)) != NULL; i++)
        if (mdm_instruction_set_is_built(i))
            add_name(name, &count);
    add("], \"blas\": \"" MDM_BLAS_LIBRARY "\", \"jpeg\": " MDM_JPEG);
    add(", \"webp\": " MDM_WEBP ", \"lmdb\": " MDM_LMDB ", \"yaml\": " MDM_YAML "}");
}

const char *maskdm_build_info(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, make_build_info);
    return build_info;
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
