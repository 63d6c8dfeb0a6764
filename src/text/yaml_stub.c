/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands in for yaml.c in a build without libyaml.
 */
#include "text/yaml.h"

int mdm_yaml_read(const char *bytes, size_t n, int (*visit)(void *user, const struct mdm_yaml_value *value),
                  void *user)
{
    (void)bytes;
    (void)n;
    (void)visit;
    (void)user;
    return mdm_fail(MASKDM_ENOTSUP, "this is YAML, and this build has no libyaml to read it");
}
