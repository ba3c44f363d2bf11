#include "model/infer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/layers.h"
#include "model/variant.h"

namespace ghostnet {
namespace {

Shapes shapes_of(const Architecture& architecture) {
  Shapes shapes;
  for (const Layer& layer : describe_layers(architecture, 224, 224)) {
    for (const ParameterSpec& parameter : layer.parameters) shapes[parameter.name] = parameter.shape;
  }
  return shapes;
}

Architecture v1(double width, int64_t classes) {
  Architecture architecture;
  architecture.stages = ghostnet_v1_stages();
  architecture.width = width;
  architecture.num_classes = classes;
  return architecture;
}

TEST(InferArchitecture, FindsWidthAndClasses) {
  for (const double width : {0.5, 1.0, 1.3, 0.75, 1.6, 0.1}) {
    const Architecture found = infer_architecture(shapes_of(v1(width, 17)));
    EXPECT_EQ(found.num_classes, 17);
    EXPECT_EQ(shapes_of(found), shapes_of(v1(width, 17))) << width;
  }
  EXPECT_EQ(variant_name(infer_architecture(shapes_of(v1(0.5, 10)))), "ghostnet_050");
  EXPECT_EQ(variant_name(infer_architecture(shapes_of(v1(1.0, 10)))), "ghostnet_100");
  EXPECT_EQ(variant_name(infer_architecture(shapes_of(v1(1.3, 10)))), "ghostnet_130");
}

TEST(InferArchitecture, FindsACustomStageTable) {
  Architecture custom = v1(0.5, 4);
  custom.stages = {{{3, 16, 16, 0, 1}}, {{5, 48, 24, 0.25, 2}, {5, 64, 24, 0.5, 1}}};
  const Architecture found = infer_architecture(shapes_of(custom));
  EXPECT_EQ(shapes_of(found), shapes_of(custom));
  EXPECT_EQ(variant_name(found), "custom");
}

TEST(InferArchitecture, FindsEveryGenerationFormAndWidth) {
  for (const Generation& generation : generations()) {
    for (const Form form : generation.forms) {
      for (const double width : {0.5, 1.0, 1.3, 1.6, 0.28}) {
        Architecture architecture = generation.at(width);
        architecture.form = form;
        architecture.num_classes = 5;
        const Architecture found = infer_architecture(shapes_of(architecture));
        EXPECT_EQ(found.form, form);
        EXPECT_EQ(shapes_of(found), shapes_of(architecture)) << generation.prefix << width;
        EXPECT_TRUE(variant_name(found).starts_with(generation.prefix)) << variant_name(found);
      }
    }
  }
}

TEST(InferArchitecture, FindsACustomTableWithAttentions) {
  Architecture custom = v1(0.5, 4);
  custom.stages = {{{3, 16, 16, 0, 1, true}}, {{5, 48, 24, 0.25, 2}, {5, 64, 24, 0.5, 1, true}}};
  for (const Form form : {Form::norms, Form::branches, Form::deployed}) {
    custom.form = form;
    const Architecture found = infer_architecture(shapes_of(custom));
    EXPECT_EQ(shapes_of(found), shapes_of(custom));
    EXPECT_EQ(variant_name(found), "custom");
  }
}

TEST(InferArchitecture, FindsANetworkWithoutClassifier) {
  Architecture architecture = *find_variant("ghostnetv2_100");
  architecture.num_classes = 0;
  EXPECT_EQ(infer_architecture(shapes_of(architecture)), architecture);
}

TEST(InferArchitecture, RefusesOtherNetworks) {
  for (const char* key :
       {"conv_stem.weight", "classifier.weight", "blocks.0.0.ghost1.primary_conv.0.weight"}) {
    Shapes shapes = shapes_of(v1(1, 10));
    shapes.erase(key);
    EXPECT_THROW(infer_architecture(shapes), Error) << key;
  }
}

// Of each part that the inference looks at, and at a width that is not published.
TEST(InferArchitecture, ComparesWithTheWidthThatTheOtherArraysShow) {
  struct Case {
    const char* variant;
    Form form;
    const char* missing;
  };
  for (const Case& known : std::initializer_list<Case>{
           {"ghostnet_070", Form::norms, "blocks.3.0.ghost1.primary_conv.0.weight"},
           {"ghostnet_070", Form::norms, "blocks.8.3.ghost2.primary_conv.0.weight"},
           {"ghostnet_070", Form::norms, "blocks.6.2.ghost2.cheap_operation.0.weight"},
           {"ghostnet_070", Form::norms, "conv_stem.weight"},
           {"ghostnetv2_090", Form::norms, "blocks.5.0.conv_dw.weight"},
           {"ghostnetv3_115", Form::branches, "blocks.4.0.ghost2.cheap_rpr_conv.0.conv.weight"},
           {"ghostnetv3_115", Form::deployed, "blocks.4.0.ghost1.primary_conv.0.weight"},
           {"repghostnet_070", Form::branches, "blocks.6.0.ghost1.primary_conv.0.weight"},
       }) {
    Architecture architecture = *find_variant(known.variant);
    architecture.form = known.form;
    architecture.num_classes = 7;
    Shapes shapes = shapes_of(architecture);
    ASSERT_EQ(shapes.erase(known.missing), 1u) << known.variant;
    try {
      check_parameters(infer_architecture(shapes), shapes);
      FAIL() << known.variant << " " << known.missing;
    } catch (const Error& error) {
      EXPECT_TRUE(error.found().ends_with("1 missing: " + std::string(known.missing))) << error.found();
    }
  }
}

TEST(CheckParameters, NamesWhatIsMissingUnexpectedAndOfAnotherShape) {
  const Architecture architecture = v1(1, 10);
  Shapes shapes = shapes_of(architecture);
  shapes.erase("bn1.weight");
  shapes["extra.weight"] = {3};
  shapes["conv_head.bias"] = {7};
  try {
    check_parameters(architecture, shapes);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::GHOSTNET_PARAMETERS_MISMATCH);
    EXPECT_EQ(error.found(),
              "1 missing: bn1.weight; 1 of the wrong shape: conv_head.bias is [7], expected [1280]; 1 "
              "unexpected: extra.weight");
  }
}

TEST(CheckParameters, CountersMayBeMissing) {
  Shapes shapes = shapes_of(v1(1, 10));
  std::erase_if(shapes, [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
  EXPECT_NO_THROW(check_parameters(v1(1, 10), shapes));
}

// At 224 pixels and 1000 classes, as measured with timm 1.0.31 and the official code.
TEST(Layers, CountTheParametersAndMultiplyAddsOfTheFamily) {
  struct Case {
    const char* variant;
    Form form;
    int64_t parameters;
    size_t keys;
    double mega_multiply_adds;
  };
  for (const Case& known : std::initializer_list<Case>{
           {"ghostnetv2_100", Form::norms, 6'156'908, 764, 167.05},
           {"ghostnetv2_130", Form::norms, 8'960'404, 764, 269.32},
           {"ghostnetv2_160", Form::norms, 12'392'698, 764, 398.61},
           {"ghostnetv3_050", Form::branches, 3'395'384, 1956, 117.53},
           {"ghostnetv3_050", Form::deployed, 2'853'176, 492, 49.64},
           {"ghostnetv3_100", Form::branches, 8'129'028, 1956, 404.13},
           {"ghostnetv3_100", Form::deployed, 6'147'588, 492, 167.05},
           {"ghostnetv3_130", Form::branches, 12'217'720, 1956, 654.84},
           {"ghostnetv3_130", Form::deployed, 8'948'296, 492, 269.32},
           {"ghostnetv3_160", Form::branches, 17'275'700, 1956, 971.57},
           {"ghostnetv3_160", Form::deployed, 12'377'778, 492, 398.61},
       }) {
    Architecture architecture = *find_variant(known.variant);
    architecture.form = known.form;
    const std::vector<Layer> layers = describe_layers(architecture, 224, 224);
    EXPECT_EQ(count_parameters(layers), known.parameters) << known.variant << name_of(known.form);
    EXPECT_EQ(shapes_of(architecture).size(), known.keys) << known.variant << name_of(known.form);
    EXPECT_NEAR(static_cast<double>(count_multiply_adds(layers)) / 1e6, known.mega_multiply_adds, 0.006)
        << known.variant << name_of(known.form);
  }
}

TEST(LeastSide, LeavesTwoPixelsToEveryAttention) {
  EXPECT_EQ(least_side(*find_variant("ghostnet_100")), 32);
  EXPECT_EQ(least_side(*find_variant("ghostnetv2_100")), 33);
  Architecture architecture = *find_variant("ghostnetv2_100");
  architecture.stages.push_back({{3, 960, 160, 0, 2}});
  architecture.stages.push_back({{3, 960, 160, 0, 1, true}});
  EXPECT_EQ(least_side(architecture), 65);
  for (int stage = 0; stage < 12; ++stage) architecture.stages.push_back({{3, 960, 160, 0, 2, true}});
  EXPECT_THROW(validate(architecture), Error);
}

}  // namespace
}  // namespace ghostnet
