/* SPDX-License-Identifier: BSD-2-Clause
 *
 * intel-rapl:0 is a package (AMD's too are called so) and has zones of its own: intel-rapl:0:0 its cores, which it
 * counts itself, and, on servers, dram, which it does not. Other zones, psys among them, count what these do.
 */
#include "os/energy.h"

#include "base/error.h"
#include "os/file.h"
#include "text/number.h"

#include <math.h>
#include <string.h>

const char mdm_energy_folder[] = "/sys/class/powercap";

static int copy_line(void *user, char *line)
{
    mdm_format(user, MDM_ENERGY_PATH, "%s", line);
    return 1;
}

/* The first line of ZONE/file; 0: it cannot be read. */
static int read_line(char out[MDM_ENERGY_PATH], const char *folder, const char *zone, const char *file)
{
    char path[2 * MDM_ENERGY_PATH];

    mdm_format(path, sizeof path, "%s/%s/%s", folder, zone, file);
    *out = '\0';
    return mdm_file_lines(path, copy_line, out) > 0;
}

static int read_number(double *out, const char *folder, const char *zone, const char *file)
{
    char text[MDM_ENERGY_PATH];

    return read_line(text, folder, zone, file) && !mdm_parse_double(text, out) && *out >= 0;
}

struct search {
    struct mdm_energy *e;
    const char *folder;
};

static int see_zone(void *user, const char *name, enum mdm_file_kind kind)
{
    struct search *s = user;
    struct mdm_energy_zone z;
    char what[MDM_ENERGY_PATH];

    (void)kind;
    if (s->e->zones == MDM_ENERGY_ZONES || strlen(s->folder) + strlen(name) + 16 > MDM_ENERGY_PATH ||
        !read_line(what, s->folder, name, "name") ||
        (strncmp(what, "package", 7) != 0 && strcmp(what, "dram") != 0) ||
        !read_number(&z.last, s->folder, name, "energy_uj") ||
        !read_number(&z.range, s->folder, name, "max_energy_range_uj"))
        return MASKDM_OK;
    mdm_format(z.path, sizeof z.path, "%s/%s", s->folder, name);
    s->e->zone[s->e->zones++] = z;
    return MASKDM_OK;
}

void mdm_energy_find(struct mdm_energy *e, const char *folder)
{
    struct search s = {e, folder};
    enum mdm_file_kind kind;
    struct mdm_failure unsaid;

    e->zones = 0;
    if (mdm_file_kind_of(&kind, folder) < 0 || (kind == MDM_FILE_FOLDER && mdm_folder_list(folder, see_zone, &s) < 0))
        mdm_failure_take(&unsaid, MASKDM_OK);
}

double mdm_energy_read(struct mdm_energy *e)
{
    double sum = 0;

    for (int i = 0; i < e->zones; i++) {
        struct mdm_energy_zone *z = &e->zone[i];
        double now;

        if (!read_number(&now, z->path, ".", "energy_uj"))
            return (double)NAN;
        sum += now >= z->last ? now - z->last : now - z->last + z->range;
        z->last = now;
    }
    return e->zones ? sum * 1e-6 : (double)NAN;
}
