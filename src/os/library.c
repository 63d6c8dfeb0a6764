/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A fully static program can load nothing, and its linker warns of whoever asks for it. So nothing here pulls the
 * loader in: where the program has none, there is none.
 */
#include "os/library.h"

#include "base/error.h"

#include <dlfcn.h>
#include <string.h>

#pragma weak dlopen
#pragma weak dlsym
#pragma weak dlerror
#pragma weak dlclose

int mdm_library_open(void **out, const char *path)
{
    const char *reason;

    *out = NULL;
    if (!dlopen || !dlsym || !dlerror || !dlclose)
        return mdm_fail(MASKDM_ENOTSUP, "cannot load %s: this program is linked statically", path);
    *out = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (*out)
        return MASKDM_OK;
    reason = dlerror();
    if (reason && strncmp(reason, path, strlen(path)) == 0 && strncmp(reason + strlen(path), ": ", 2) == 0)
        reason += strlen(path) + 2;
    return mdm_fail(MASKDM_ENOTFOUND, "cannot load %s: %s", path, reason ? reason : "the loader does not say why");
}

/* POSIX wants a function's address to pass through dlsym()'s pointer to data; ISO C has no conversion for it. */
void mdm_library_find(void *function, void *library, const char *name)
{
    void *p = dlsym(library, name);

    memcpy(function, &p, sizeof p);
}

void mdm_library_close(void *library)
{
    (void)dlclose(library);
}
