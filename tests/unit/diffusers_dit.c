/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings of diffusers' transformer: those of a DiT become options, and whatever is another network is refused.
 */
#include "base/error.h"
#include "model/options.h"
#include "run/diffusers.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "{\"_class_name\": \"DiTTransformer2DModel\""
#define OLD                                                                                                          \
    "\"sample_size\": 16, \"patch_size\": 4, \"in_channels\": 3, \"num_embeds_ada_norm\": 7, \"attention_bias\": "   \
    "true, \"norm_type\": \"ada_norm_zero\", \"activation_fn\": \"gelu-approximate\", \"norm_elementwise_affine\": " \
    "false"

static int settings(maskdm_options *o, const char *json, int sized)
{
    struct mdm_config c;
    int status = mdm_config_read(&c, json, strlen(json));

    ck_assert_msg(status == MASKDM_OK, "%s", json);
    status = mdm_diffusers_dit(o, &c, sized, NULL);
    mdm_config_free(&c);
    return status;
}

static void expect(const char *json, const char *const (*values)[2], size_t count)
{
    maskdm_options *o;

    ck_assert_int_eq(mdm_options_create(&o, &mdm_dit_kind), MASKDM_OK);
    ck_assert_msg(settings(o, json, 0) == MASKDM_OK, "%s: %s", json, mdm_error_text());
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(!strcmp(mdm_options_text(o, values[i][0]), values[i][1]), "%s is %s", values[i][0],
                      mdm_options_text(o, values[i][0]));
    mdm_options_release(&o);
}

START_TEST(settings_become_options)
{
    /* What the first of the authors' networks is, and all that a file may leave out. */
    static const char *const xl[][2] = {{"image_size", "32"}, {"patch_size", "2"},      {"channels", "4"},
                                        {"dim", "1152"},      {"depth", "28"},          {"heads", "16"},
                                        {"classes", "1000"},  {"learn_sigma", "false"}, {"dit_form", "diffusers"},
                                        {"mlp_ratio", "4"}};
    static const char *const small[][2] = {{"image_size", "16"}, {"patch_size", "4"},    {"channels", "3"},
                                           {"dim", "40"},        {"depth", "2"},         {"heads", "5"},
                                           {"classes", "7"},     {"learn_sigma", "true"}};

    expect(BEGIN "}", xl, sizeof xl / sizeof *xl);
    expect("{\"_class_name\": \"Transformer2DModel\", " OLD ", \"num_layers\": 2, \"num_attention_heads\": 5, "
           "\"attention_head_dim\": 8, \"out_channels\": 6, \"dropout\": 0.1, \"cross_attention_dim\": null, "
           "\"upcast_attention\": true, \"norm_num_groups\": 32, \"interpolation_scale\": null}",
           small, sizeof small / sizeof *small);
}
END_TEST

START_TEST(other_networks_are_refused)
{
    static const struct {
        const char *json, *says;
        int status;
    } bad[] = {
        {BEGIN ", \"norm_type\": \"ada_norm_single\"}", "\"norm_type\" is \"ada_norm_single\"", MASKDM_ENOTSUP},
        {BEGIN ", \"activation_fn\": \"geglu\"}", "\"geglu\"", MASKDM_ENOTSUP},
        {BEGIN ", \"attention_bias\": false}", "\"attention_bias\" is \"false\"", MASKDM_ENOTSUP},
        {BEGIN ", \"norm_elementwise_affine\": true}", "\"norm_elementwise_affine\" is \"true\"", MASKDM_ENOTSUP},
        {BEGIN ", \"norm_eps\": 1e-6}", "\"norm_eps\"", MASKDM_ENOTSUP},
        {BEGIN ", \"cross_attention_dim\": 64}", "\"cross_attention_dim\"", MASKDM_ENOTSUP},
        {BEGIN ", \"caption_channels\": 64}", "\"caption_channels\"", MASKDM_ENOTSUP},
        {BEGIN ", \"mystery\": 1}", "\"mystery\" (1) is a setting that is not known", MASKDM_ENOTSUP},
        {BEGIN ", \"num_embeds_ada_norm\": null}", "\"num_embeds_ada_norm\" is null", MASKDM_EFORMAT},
        {BEGIN ", \"patch_size\": null}", "\"patch_size\" is null", MASKDM_EFORMAT},
        {BEGIN ", \"out_channels\": 5}", "\"out_channels\" is 5 of 4 channels", MASKDM_ENOTSUP},
        {BEGIN ", \"out_channels\": \"many\"}", "\"out_channels\" is \"many\", no number", MASKDM_EFORMAT},
        {BEGIN ", \"attention_head_dim\": -1}", "\"attention_head_dim\" is -1", MASKDM_EFORMAT},
        {BEGIN ", \"attention_head_dim\": 9000}", "heads of 9000", MASKDM_EFORMAT},
        {BEGIN ", \"num_layers\": 0}", "\"num_layers\"", MASKDM_EFORMAT},
        {BEGIN ", \"sample_size\": [8, 8, 8]}", "\"sample_size\"", MASKDM_EFORMAT},
        {"{\"_class_name\": \"Transformer2DModel\"}",
         "\"sample_size\" is missing, without which a Transformer2DModel is no DiT", MASKDM_ENOTSUP},
        {"{\"_class_name\": \"UNet2DModel\"}", "\"_class_name\" is \"UNet2DModel\"", MASKDM_ENOTSUP},
    };
    maskdm_options *o;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(mdm_options_create(&o, &mdm_dit_kind), MASKDM_OK);
        ck_assert_msg(settings(o, bad[i].json, 0) == bad[i].status, "%s: %s", bad[i].json, mdm_error_text());
        ck_assert_msg(strstr(mdm_error_text(), bad[i].says) != NULL, "%s: %s", bad[i].json, mdm_error_text());
        mdm_options_release(&o);
    }
    ck_assert_int_eq(mdm_options_create(&o, &mdm_dit_kind), MASKDM_OK);
    ck_assert_int_eq(settings(o, BEGIN "}", 1), MASKDM_EINVAL);
    mdm_options_release(&o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("diffusers_dit");
    TCase *t = tcase_create("diffusers_dit");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, settings_become_options);
    tcase_add_test(t, other_networks_are_refused);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
