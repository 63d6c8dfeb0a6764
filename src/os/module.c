/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/module.h"

#include "base/error.h"

#include <string.h>

int mdm_module_check(const struct mdm_module_kind *kind, struct mdm_module_said said)
{
    if (said.version != kind->version)
        return mdm_fail(MASKDM_EVERSION, "the module of the %s \"%s\" has version %d, the library needs %d", kind->of,
                        said.name, said.version, kind->version);
    if (said.size < kind->size)
        return mdm_fail(MASKDM_EVERSION,
                        "the module of the %s \"%s\" has a table of %zu bytes, the library needs %zu", kind->of,
                        said.name, said.size, kind->size);
    return MASKDM_OK;
}

int mdm_module_check_file(const struct mdm_module_kind *kind, struct mdm_module_said said, const char *path,
                          const char *wanted)
{
    if (!said.name)
        return mdm_fail(MASKDM_ENOTSUP, "%s is no module for %ss: it has no %s()", path, kind->of, kind->entry);
    if (strcmp(said.name, wanted) != 0)
        return mdm_fail(MASKDM_ENOTSUP, "%s is a module for the %s \"%s\", not \"%s\"", path, kind->of, said.name,
                        wanted);
    return mdm_module_check(kind, said);
}
