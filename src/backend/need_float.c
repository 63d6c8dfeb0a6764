/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What weights of 16 bits are not for.
 */
#include "backend/device.h"
#include "base/error.h"

int mdm_device_need_float(const maskdm_device *d, const char *what)
{
    if (mdm_device_stored(d) == MDM_F32)
        return MASKDM_OK;
    return mdm_fail(MASKDM_ENOTSUP, "%s needs weights of float32, and the device keeps those of its models in %s "
                                    "(weight_type)",
                    what, mdm_device_stored(d) == MDM_F16 ? "float16" : "bfloat16");
}
