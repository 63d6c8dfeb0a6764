/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Presets: documents of options (option_text.c) that come with the library, NAME.json in a folder.
 */
#include "option/preset.h"

#include "base/alloc.h"
#include "base/error.h"
#include "option/option_set.h"
#include "os/file.h"

#include <string.h>

enum { PRESET_LIMIT = 1 << 20 }; /* bytes */

static const char suffix[] = ".json";

static int open_folder(char **out, const char *folder)
{
    if (!folder)
        return mdm_installed(out, "presets");
    *out = mdm_strdup(folder);
    return *out ? MASKDM_OK : mdm_fail_memory(strlen(folder) + 1, "a path");
}

static int note(void *user, const char *name, enum mdm_file_kind kind)
{
    struct mdm_text *names = user;
    const size_t n = strlen(name), s = sizeof suffix - 1;

    if (kind != MDM_FILE_REGULAR || n <= s || strcmp(name + n - s, suffix) != 0)
        return MASKDM_OK;
    mdm_text_add_n(names, name, n - s);
    mdm_text_add(names, "\n");
    return mdm_text_ok(names);
}

int mdm_preset_names(struct mdm_text *out, const char *folder)
{
    char *place;
    int status;

    MDM_TRY(open_folder(&place, folder));
    mdm_text_add(out, "");
    status = mdm_folder_list(place, note, out);
    mdm_free(place);
    return status < 0 ? status : mdm_text_ok(out);
}

/* Answers a name that is none. */
static int refuse(const char *name, const char *place)
{
    struct mdm_text names = {0};
    int status = mdm_preset_names(&names, place);

    for (char *at = names.data; status >= 0 && (at = strchr(at, '\n'));)
        *at = at[1] ? ' ' : '\0';
    if (status >= 0)
        status = mdm_fail(MASKDM_ENOTFOUND, "there is no preset \"%.80s\" in %s, but %s", name, place,
                          *names.data ? names.data : "none at all");
    mdm_text_free(&names);
    return status;
}

/* A name is no path. */
static int is_name(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/');
}

/* *path is for error lines (mdm_free). */
static int read_preset(char **text, size_t *bytes, char **path, const char *name, const char *folder)
{
    struct mdm_text file = {0};
    enum mdm_file_kind kind = MDM_FILE_NONE;
    char *place;
    int status;

    *text = *path = NULL;
    MDM_TRY(open_folder(&place, folder));
    mdm_text_addf(&file, "%s%s", name, suffix);
    status = mdm_text_ok(&file);
    if (status >= 0 && !(*path = mdm_path_join(place, file.data)))
        status = MASKDM_ENOMEM;
    if (status >= 0 && is_name(name))
        status = mdm_file_kind_of(&kind, *path);
    if (status >= 0)
        status = kind == MDM_FILE_REGULAR ? mdm_file_read_all(text, bytes, *path, PRESET_LIMIT) : refuse(name, place);
    mdm_text_free(&file);
    mdm_free(place);
    if (status < 0) {
        mdm_free(*path);
        *path = NULL;
    }
    return status;
}

/* The text of a member of the document, nothing where it has none. */
static int read_note(struct mdm_text *out, const char *text, size_t bytes, const char *what)
{
    struct mdm_json j;
    int event;

    mdm_json_open(&j, text, bytes);
    j.comments = 1;
    event = mdm_json_expect(&j, MDM_JSON_OBJECT);
    while (event >= 0 && (event = mdm_json_next(&j)) == MDM_JSON_KEY) {
        const int found = !strcmp(j.text, what);

        event = mdm_json_next(&j);
        if (event == MDM_JSON_STRING && found)
            mdm_text_add(out, j.text);
        if (event >= 0)
            event = mdm_json_skip(&j, event);
    }
    mdm_json_close(&j);
    return event < 0 ? event : mdm_text_ok(out);
}

int mdm_preset_text(struct mdm_text *out, const char *name, const char *what, const char *folder)
{
    char *text, *path;
    size_t bytes;
    int status;

    MDM_TRY(read_preset(&text, &bytes, &path, name, folder));
    mdm_text_add(out, "");
    if (!what)
        mdm_text_add_n(out, text, bytes);
    status = what ? read_note(out, text, bytes, what) : mdm_text_ok(out);
    if (status < 0 && status != MASKDM_ENOMEM)
        status = mdm_fail_prefix(status, "%s", path);
    mdm_free(text);
    mdm_free(path);
    return status;
}

/* Of another network or process it would be something else. */
static int check_choices(const maskdm_options *o, const maskdm_options *preset, const char *name)
{
    for (int i = 0; i < preset->count; i++) {
        const struct mdm_option_slot *theirs = &preset->slot[i], *ours = &o->slot[i];

        if (theirs->place.option->among && theirs->set && ours->set &&
            strcmp(theirs->value.text, ours->value.text) != 0)
            return mdm_fail(MASKDM_EINVAL, "%s is %s, and preset %s was made for %s", ours->said, ours->value.text,
                            name, theirs->value.text);
    }
    return MASKDM_OK;
}

static int join(maskdm_options *o, maskdm_options *preset, const char *name)
{
    maskdm_options *copy;
    int status;

    MDM_TRY(check_choices(o, preset, name));
    if (o->stages && preset->stages)
        return mdm_fail(MASKDM_EINVAL, "preset %s is a list of stages, and another is given", name);
    MDM_TRY(mdm_options_clone(&copy, o));
    status = mdm_options_complete(copy, preset);
    if (status >= 0 && preset->stages) {
        copy->stage = preset->stage;
        copy->stages = preset->stages;
        preset->stage = NULL;
        preset->stages = 0;
    }
    return mdm_options_replace(o, &copy, status);
}

int mdm_options_load_preset(maskdm_options *o, const char *name, const char *folder)
{
    maskdm_options *preset = NULL;
    char *text, *path;
    size_t bytes;
    int status;

    MDM_TRY(read_preset(&text, &bytes, &path, name, folder));
    status = mdm_options_create(&preset, o->kind);
    if (status >= 0) {
        status = mdm_options_parse_json(preset, text, bytes);
        if (status < 0 && status != MASKDM_ENOMEM)
            status = mdm_fail_prefix(status, "%s", path);
    }
    if (status >= 0)
        status = join(o, preset, name);
    mdm_options_release(&preset);
    mdm_free(text);
    mdm_free(path);
    return status;
}
