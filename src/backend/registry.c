/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of device modules.
 */
#include "backend/registry.h"

#include "backend/cpu/cpu.h"
#include "base/alloc.h"

#include <string.h>

static int open_cpu(struct mdm_backend **out, const struct mdm_device_host *host, const struct mdm_device_settings *s)
{
    (void)host;
    if (*s->unit)
        return mdm_fail(MASKDM_ENOTFOUND, "there is no device \"cpu:%s\"; all processors are one device, \"cpu\"",
                        s->unit);
    return mdm_cpu_open(out, s);
}

static const struct mdm_device_module modules[] = {
    {"cpu", &mdm_cpu_vtbl, open_cpu},
    {"cuda", NULL, NULL},
};

static const struct mdm_device_module *added;

void mdm_registry_add(const struct mdm_device_module *module)
{
    added = module;
}

/* Row i, what was added before all others; NULL behind the last. */
static const struct mdm_device_module *row(size_t i)
{
    if (added && i-- == 0)
        return added;
    return i < MDM_LENGTH(modules) ? &modules[i] : NULL;
}

const char *mdm_registry_name(size_t i, int *here)
{
    const struct mdm_device_module *m = i < MDM_LENGTH(modules) ? &modules[i] : NULL;

    *here = m && m->v;
    return m ? m->name : NULL;
}

static int fail_unknown(const char *name)
{
    const struct mdm_device_module *m;
    char known[128] = "";

    for (size_t i = 0; (m = row(i)) != NULL; i++)
        if (m->v)
            mdm_format(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "", m->name);
    return mdm_fail(MASKDM_ENOTFOUND, "there is no device \"%s\"; known: %s", name, known);
}

/* A table that is longer than ours has functions behind those that we know. */
static int check_version(const struct mdm_device_module *m)
{
    if (!m->v)
        return mdm_fail(MASKDM_ENOTSUP, "this build has no module for the device \"%s\"", m->name);
    if (m->v->version != MDM_BACKEND_VERSION)
        return mdm_fail(MASKDM_EVERSION, "the module of the device \"%s\" has version %d, the library needs %d",
                        m->name, m->v->version, (int)MDM_BACKEND_VERSION);
    if (m->v->size < sizeof *m->v)
        return mdm_fail(MASKDM_EVERSION,
                        "the module of the device \"%s\" has a table of %zu bytes, the library needs %zu", m->name,
                        m->v->size, sizeof *m->v);
    return MASKDM_OK;
}

int mdm_registry_open(struct mdm_backend **out, const char *name, struct mdm_device_settings *settings)
{
    static const struct mdm_device_host host = {
        MDM_BACKEND_VERSION, sizeof host, mdm_need, mdm_need_aligned, mdm_free, mdm_fail};
    const size_t length = strcspn(name, ":");
    const struct mdm_device_module *m;

    *out = NULL;
    for (size_t i = 0; (m = row(i)) != NULL; i++)
        if (strlen(m->name) == length && strncmp(m->name, name, length) == 0) {
            MDM_TRY(check_version(m));
            settings->unit = name + length + (name[length] != '\0');
            return m->open(out, &host, settings);
        }
    return fail_unknown(name);
}
