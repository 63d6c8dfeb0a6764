/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Gradients of adapters in small networks, and of what is left where parameters are frozen, against central
 * differences in double: a frozen one's gradient is left as it was.
 */
#include "rig.h"

#include "model/adapter.h"
#include "option/option.h"

static const struct {
    const char *name, *options, *lora;
} networks[] = {
    {"uvit", "image_size=8 patch_size=4 channels=1 dim=4 depth=3 heads=2 mlp_ratio=1 classes=2 conv=true",
     "rank=2 alpha=3 on=*attn*,*mlp*,*skip*,*patch_embed*,*label_emb*,final_layer.weight"},
    {"uvit", "image_size=8 patch_size=4 channels=1 dim=4 depth=3 heads=1 mlp_ratio=1 time_mlp=true", "rank=1 on=*"},
    {"dit", "image_size=8 patch_size=4 channels=1 dim=8 depth=1 heads=2 mlp_ratio=1", "rank=3"},
    {"jit", "image_size=8 patch_size=4 channels=1 dim=4 depth=1 heads=1 bottleneck=3 mlp_ratio=2 in_context_len=1",
     "rank=2 on=*"},
    {"sit",
     "image_size=8 patch_size=4 channels=1 dim=4 encoder_depth=1 middle_depth=1 decoder_depth=1 heads=1 mlp_ratio=1",
     "rank=1"},
    {"unet",
     "image_size=4 patch_size=2 channels=1 block_out_channels=4,4 layers_per_block=1 norm_num_groups=2 "
     "attention_head_dim=2",
     "rank=1 on=*conv*,*attentions*"},
};

static maskdm_options *options(const struct mdm_option_kind *kind, const char *text)
{
    maskdm_options *o;

    ck_assert_int_eq(mdm_options_create(&o, kind), 0);
    ck_assert_msg(mdm_options_parse(o, text) == 0, "%s", mdm_error_text());
    return o;
}

/* Two whole images at two times, of the classes that there are. */
static void record(struct rig *r, int i)
{
    static const double times[] = {17, 940.5};
    static const int32_t index[] = {0, 1, 2, 3, 0, 1, 2, 3}, label[] = {0, -1};
    const struct mdm_network *network = mdm_network_find(networks[i].name);
    maskdm_options *o = options(network->kind, networks[i].options);
    struct mdm_ports ports = MDM_NO_PORTS;

    network->record(&r->g, &ports, o, (struct mdm_extent){.batch = 2, .visible = 4});
    mdm_options_release(&o);
    ck_assert_msg(r->g.failure.code == 0, "%s", r->g.failure.text);
    mdm_graph_want_gradient(&r->g, ports.image);
    memcpy(rig_host(r, ports.time), times, sizeof times);
    memcpy(rig_host(r, ports.index), index, sizeof index);
    if (ports.label != MDM_NONE)
        memcpy(rig_host(r, ports.label), label, sizeof label);
}

START_TEST(adapters_match_differences)
{
    maskdm_options *o = options(&mdm_lora_kind, networks[_i].lora);
    struct mdm_adapter *adapter;
    struct rig r;
    int trained = 0;

    ck_assert_int_eq(mdm_adapter_create(&adapter, o), 0);
    mdm_options_release(&o);
    rig_open(&r, 31 + (uint64_t)_i);
    r.layout.adapter = adapter;
    r.g.adapt = mdm_adapter_record;
    record(&r, _i);
    for (int k = 0; k < r.layout.count; k++) {
        ck_assert_int_eq(!r.layout.list[k].frozen, strstr(r.layout.list[k].name, ".lora_") != NULL);
        trained += !r.layout.list[k].frozen;
    }
    ck_assert_int_gt(trained, 3);
    rig_plan(&r, MDM_PLAN_TRAIN);
    rig_check(&r, networks[_i].options, 7);
    rig_close(&r);
    mdm_adapter_free(&adapter);
}
END_TEST

/* Every second parameter, and then the others. */
START_TEST(frozen_ones_are_left)
{
    for (int odd = 0; odd < 2; odd++) {
        struct rig r;

        rig_open(&r, 11 + (uint64_t)_i);
        record(&r, _i);
        for (int k = odd; k < r.layout.count; k += 2)
            r.layout.list[k].frozen = 1;
        rig_plan(&r, MDM_PLAN_TRAIN);
        rig_check(&r, networks[_i].options, 13);
        rig_close(&r);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gradients");
    TCase *t = tcase_create("adapters");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, adapters_match_differences, 0, (int)MDM_LENGTH(networks));
    tcase_add_loop_test(t, frozen_ones_are_left, 0, (int)MDM_LENGTH(networks));
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
