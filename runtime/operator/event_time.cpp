#include "runtime/operator/event_time.h"

#include "runtime/columnar/builder.h"

namespace flowrun {

bool is_window_type(const Type& type) {
  return type.id() == TypeId::struct_ && type.fields().size() == 2 &&
         type.fields()[0].type.id() == TypeId::timestamp &&
         type.fields()[1].type.id() == TypeId::timestamp;
}

std::optional<int64_t> watermark_delay_of(const Expression& expression, const Schema& schema) {
  const std::optional<size_t> column = expression.time_column();
  return column ? schema.field(*column).watermark_delay : std::nullopt;
}

Result<EventTime> EventTime::bind(const OptionValue& option, const SchemaPtr& schema,
                                  const ExpressionEnvironment& environment) {
  const Binder binder(Scope{schema}, environment);
  auto bound = binder.bind(option.text);
  if (!bound) return option.place(std::move(bound.error()));
  EventTime time;
  time.watermark_delay_ = watermark_delay_of(**bound, *schema);
  if (!is_window_type((*bound)->type())) {
    bound = binder.bind_as(option.text, Type::timestamp());
    if (!bound) return option.place(std::move(bound.error()));
  }
  time.expression_ = *bound;
  return time;
}

Result<ColumnPtr> EventTime::evaluate(const RecordBatch& batch,
                                      const EvaluationContext& context) const {
  FLOWRUN_TRY(ColumnPtr times, expression_->evaluate(batch, context));
  if (times->type().id() == TypeId::timestamp) return times;
  const Column& ends = *times->child(1);
  FixedWriter<int64_t> last(Type::timestamp(), times->size());
  for (int64_t i = 0; i < times->size(); ++i) {
    if (times->is_null(i) || ends.is_null(i)) {
      last.set_null(i);
    } else {
      last.set(i, ends.values<int64_t>()[static_cast<size_t>(i)] - 1);
    }
  }
  return last.finish();
}

}  // namespace flowrun
