/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of device modules.
 */
#include "backend/registry.h"

#include "backend/cpu/cpu.h"
#include "base/alloc.h"
#include "config.h"
#include "os/file.h"
#include "os/library.h"
#include "os/module.h"

#include <string.h>

static int open_cpu(struct mdm_backend **out, const struct mdm_device_host *host, const struct mdm_device_settings *s)
{
    (void)host;
    if (*s->unit)
        return mdm_fail(MASKDM_ENOTFOUND, "there is no device \"cpu:%s\"; all processors are one device, \"cpu\"",
                        s->unit);
    if (s->compute != MDM_COMPUTE_AUTO && s->compute != MDM_COMPUTE_FLOAT32)
        return mdm_fail(MASKDM_ENOTSUP, "the device \"cpu\" computes in float32 alone");
    return mdm_cpu_open(out, s);
}

static const struct mdm_device_module modules[] = {
    {"cpu", &mdm_cpu_vtbl, open_cpu}, {"cuda", NULL, NULL}, /* no table: it is in a file of its own */
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

/* Where the file of a module is installed; MASKDM_ENOTFOUND, with nothing recorded, where it is not. */
static int find_file(char **out, const struct mdm_device_module *m)
{
    char file[64];

    mdm_format(file, sizeof file, "maskdm-%s.so", m->name);
    return mdm_installed_module(out, file);
}

static int is_here(const struct mdm_device_module *m)
{
    char *path = NULL;
    const int here = m->v || find_file(&path, m) == MASKDM_OK;

    mdm_free(path);
    return here;
}

const char *mdm_registry_name(size_t i, int *here)
{
    const struct mdm_device_module *m = i < MDM_LENGTH(modules) ? &modules[i] : NULL;

    *here = m && is_here(m);
    return m ? m->name : NULL;
}

static int fail_unknown(const char *name)
{
    const struct mdm_device_module *m;
    char known[128] = "";

    for (size_t i = 0; (m = row(i)) != NULL; i++)
        if (is_here(m))
            mdm_format(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "", m->name);
    return mdm_fail(MASKDM_ENOTFOUND, "there is no device \"%s\"; known: %s", name, known);
}

static const struct mdm_module_kind module_kind = {"device", MDM_DEVICE_ENTRY, MDM_BACKEND_VERSION,
                                                   sizeof(struct mdm_backend_vtbl)};

static struct mdm_module_said said_by(const struct mdm_device_module *m)
{
    return m && m->v ? (struct mdm_module_said){m->name, m->v->version, m->v->size} : (struct mdm_module_said){0};
}

/* The module that the file at `path` has for what `row` names. It stays loaded where it is taken. */
static int load(const struct mdm_device_module **out, const struct mdm_device_module *row, const char *path)
{
    const struct mdm_device_module *(*entry)(void), *m;
    void *library;
    int status;

    MDM_TRY(mdm_library_open(&library, path));
    mdm_library_find(&entry, library, module_kind.entry);
    m = entry ? entry() : NULL;
    status = mdm_module_check_file(&module_kind, said_by(m), path, row->name);
    if (status)
        mdm_library_close(library);
    else
        *out = m;
    return status;
}

/* What opens devices of this row: the row itself, or what is in its file. */
static int find_module(const struct mdm_device_module **out, const struct mdm_device_module *row, const char *given)
{
    char *path = NULL;
    int status;

    *out = row;
    if (row->v)
        return mdm_module_check(&module_kind, said_by(row));
    if (given && *given)
        return load(out, row, given);
    status = find_file(&path, row);
    if (status == MASKDM_ENOTFOUND)
        return mdm_fail(MASKDM_ENOTSUP,
                        "there is no module for the device \"%s\" here: maskdm-%s.so is neither with the library "
                        "nor in %s",
                        row->name, row->name, MDM_MODULE_FOLDER);
    if (!status)
        status = load(out, row, path);
    mdm_free(path);
    return status;
}

int mdm_registry_open(struct mdm_backend **out, const char *name, struct mdm_device_settings *settings)
{
    static const struct mdm_device_host host = {MDM_BACKEND_VERSION, sizeof host, mdm_need,
                                                mdm_need_aligned,    mdm_free,    mdm_fail};
    const size_t length = strcspn(name, ":");
    const struct mdm_device_module *m, *found;

    *out = NULL;
    for (size_t i = 0; (m = row(i)) != NULL; i++)
        if (strlen(m->name) == length && strncmp(m->name, name, length) == 0) {
            MDM_TRY(find_module(&found, m, settings->module));
            settings->unit = name + length + (name[length] != '\0');
            return found->open(out, &host, settings);
        }
    return fail_unknown(name);
}
