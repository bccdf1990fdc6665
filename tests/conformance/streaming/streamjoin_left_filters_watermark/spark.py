"""The program whose answers stand in expected/."""
import pathlib
import sys

from pyspark.sql import functions as F

HERE = pathlib.Path(__file__).resolve().parent


def build(case):
    orders = case.json("orders", "id bigint, ordered timestamp, amount bigint").withWatermark("ordered", "10 seconds")
    pays = case.json("pays", "ref bigint, paid timestamp, bank string").withWatermark("paid", "20 seconds")
    out = orders.join(pays, F.expr("id = ref and paid >= ordered and paid <= ordered + interval 30 seconds and amount > 0 and bank <> 'fake'"), "left")
    case.sink("out", out, "append", late=["joined"])


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    import spark_stateful

    spark_stateful.main(HERE)
