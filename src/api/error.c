/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The public side of errors.
 */
#include "base/error.h"

const char *maskdm_last_error(void)
{
    return mdm_error_text();
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
