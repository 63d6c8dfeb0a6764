/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening communicators: the table of modules, and whether all ranks are of one release.
 */
#include "comm/comm.h"

#include "base/alloc.h"
#include "base/maker.h"
#include "comm/options.h"
#include "comm/self.h"
#include "config.h"
#include "os/file.h"
#include "os/library.h"
#include "os/module.h"

#include <string.h>

static const struct mdm_comm_module modules[] = {
    {"self", &mdm_self_vtbl, mdm_self_open}, {"mpi", NULL, NULL}, /* no table: it is in a file of its own */
};

/* ---- the handle ---- */

static void destroy(void *object)
{
    maskdm_comm *c = object;

    c->carrier->v->close(c->carrier, mdm_maker_is_here(c->handle.process) ? c->broken.code == 0 : -1);
    mdm_free(c->mine);
    mdm_free(c->theirs);
    mdm_free(c);
}

static const struct mdm_handle_kind kind = {"comm", destroy};

int mdm_comm_make(maskdm_comm **out, struct mdm_carrier *carrier)
{
    maskdm_comm *c = mdm_need(1, sizeof *c, "a communicator");

    *out = NULL;
    if (!c) {
        carrier->v->close(carrier, 0);
        return MASKDM_ENOMEM;
    }
    mdm_handle_init(&c->handle, &kind);
    c->carrier = carrier;
    mdm_format(c->text, sizeof c->text, "%s, rank %d of %d", carrier->v->describe(carrier), carrier->rank,
               carrier->size);
    *out = c;
    return MASKDM_OK;
}

void mdm_comm_hold(maskdm_comm *c)
{
    mdm_handle_hold(&c->handle);
}

void mdm_comm_drop(maskdm_comm **comm)
{
    maskdm_comm *c = *comm;

    *comm = NULL;
    if (c)
        mdm_handle_drop(&c->handle);
}

/* ---- exchanges ---- */

static int check(const maskdm_comm *c)
{
    MDM_TRY(mdm_maker_check(c->handle.process, "the communicator"));
    if (!c->broken.code)
        return MASKDM_OK;
    return mdm_fail(c->broken.code, "the processes work together no longer: %s", c->broken.text);
}

static int note(maskdm_comm *c, int status)
{
    if (status >= 0)
        return status;
    mdm_failure_take(&c->broken, status);
    return mdm_failure_record(&c->broken);
}

void *mdm_comm_need(maskdm_comm *c, size_t count, size_t size, const char *what)
{
    void *memory = mdm_need(count, size, what);

    if (!memory)
        (void)note(c, MASKDM_ENOMEM);
    return memory;
}

int mdm_comm_gather(maskdm_comm *c, void *all, const void *mine, size_t bytes)
{
    MDM_TRY(check(c));
    return note(c, c->carrier->v->gather(c->carrier, all, mine, bytes, c->cancel));
}

int mdm_comm_swap(maskdm_comm *c, void *pieces, const void *mine, size_t bytes)
{
    MDM_TRY(check(c));
    return note(c, c->carrier->v->swap(c->carrier, pieces, mine, bytes, c->cancel));
}

/* ---- modules ---- */

static const struct mdm_module_kind module_kind = {"communicator", MDM_COMM_ENTRY, MDM_COMM_VERSION,
                                                   sizeof(struct mdm_carrier_vtbl)};

static struct mdm_module_said said_by(const struct mdm_comm_module *m)
{
    return m && m->v ? (struct mdm_module_said){m->name, m->v->version, m->v->size} : (struct mdm_module_said){0};
}

/* It stays loaded where it is taken. */
static int load(const struct mdm_comm_module **out, const struct mdm_comm_module *row, const char *path)
{
    const struct mdm_comm_module *(*entry)(void), *m;
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

static int find_module(const struct mdm_comm_module **out, const struct mdm_comm_module *row, const char *given)
{
    char file[64], *path = NULL;
    int status;

    *out = row;
    if (row->v)
        return MASKDM_OK;
    if (*given)
        return load(out, row, given);
    mdm_format(file, sizeof file, "maskdm-%s.so", row->name);
    status = mdm_installed_module(&path, file);
    if (status == MASKDM_ENOTFOUND)
        return mdm_fail(MASKDM_ENOTSUP,
                        "there is no module for the communicator \"%s\" here: %s is neither with the library nor in "
                        "%s (it is built with -Dmpi=enabled)",
                        row->name, file, MDM_MODULE_FOLDER);
    if (!status)
        status = load(out, row, path);
    mdm_free(path);
    return status;
}

static int open_carrier(struct mdm_carrier **out, const char *name, const struct mdm_comm_settings *settings)
{
    static const struct mdm_comm_host host = {MDM_COMM_VERSION, sizeof host, mdm_need, mdm_free, mdm_fail};
    const struct mdm_comm_module *found;

    for (size_t i = 0; i < MDM_LENGTH(modules); i++)
        if (!strcmp(modules[i].name, name)) {
            MDM_TRY(find_module(&found, &modules[i], settings->module));
            return found->open(out, &host, settings);
        }
    return mdm_fail(MASKDM_ENOTFOUND, "there is no communicator \"%.80s\"; known: self, mpi", name);
}

/* What all releases begin with; its form never changes. */
struct greeting {
    char name[8];
    int32_t protocol, version;
};

static int greet(maskdm_comm *c)
{
    const int ranks = c->carrier->size;
    const struct greeting mine = {"maskdm", MDM_COMM_VERSION, MASKDM_VERSION};
    struct greeting *all = mdm_comm_need(c, (size_t)ranks, sizeof *all, "greetings");
    int status = all ? mdm_comm_gather(c, all, &mine, sizeof mine) : MASKDM_ENOMEM;

    for (int r = 1; r < ranks && status == MASKDM_OK; r++)
        if (all[r].protocol != all[0].protocol || all[r].version != all[0].version)
            status = mdm_fail(
                MASKDM_EVERSION, "rank 0 has version %d of the library (exchange %d), rank %d has %d (exchange %d)",
                (int)all[0].version, (int)all[0].protocol, r, (int)all[r].version, (int)all[r].protocol);
    mdm_free(all);
    return status;
}

static int open_as(maskdm_comm **out, const char *name, const maskdm_options *own)
{
    struct mdm_comm_options told;
    struct mdm_comm_settings settings;
    struct mdm_carrier *carrier;
    int status;

    mdm_options_read(own, &mdm_comm_options, &told);
    settings = (struct mdm_comm_settings){told.patience, told.module};
    MDM_TRY(open_carrier(&carrier, name, &settings));
    MDM_TRY(mdm_comm_make(out, carrier));
    status = greet(*out);
    if (status < 0)
        mdm_comm_drop(out);
    return status;
}

int mdm_comm_open(maskdm_comm **out, const char *name, const maskdm_options *options)
{
    maskdm_options *own;
    int status;

    *out = NULL;
    if (options)
        MDM_TRY(mdm_options_extract(&own, options, &mdm_comm_kind));
    else
        MDM_TRY(mdm_options_create(&own, &mdm_comm_kind));
    status = open_as(out, name, own);
    mdm_options_release(&own);
    return status;
}
