"""What the generated charts are about: measures with units and plausible ranges, groups, times.

The numbers are invented; only the vocabulary and the orders of magnitude are borrowed from life.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["plain", "percent", "dollars", "euros"]


@dataclass(frozen=True)
class Measure:
    """A quantity: values fall between `low` and `high`, rounded to `decimals`."""

    name: str
    unit: str
    low: float
    high: float
    decimals: int = 1
    style: Unit = "plain"
    additive: bool = True
    """Whether parts of it may be stacked: amounts and counts, not means and rates."""

    @property
    def title(self) -> str:
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Groups:
    """A nominal field: its name and the names of its members."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """A field of knowledge from which one chart takes all its words."""

    name: str
    measures: tuple[Measure, ...]
    categories: tuple[Groups, ...]
    series: tuple[Groups, ...]
    steps: tuple[tuple[str, float, float], ...]
    """Continuous axes for lines: title, first and last value."""


def _groups(name: str, members: str) -> Groups:
    return Groups(name, tuple(member.strip() for member in members.split(",")))


MONTHS = _groups("Month", "Jan, Feb, Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov, Dec")
QUARTERS = _groups("Quarter", "Q1, Q2, Q3, Q4")
WEEKDAYS = _groups("Day of week", "Mon, Tue, Wed, Thu, Fri, Sat, Sun")
COUNTRIES = _groups(
    "Country",
    "Japan, Brazil, Kenya, Norway, India, Chile, Poland, Canada, Vietnam, Egypt, New Zealand, "
    "South Korea, United Kingdom, United Arab Emirates",
)
REGIONS = _groups(
    "Region",
    "North, South, East, West, Central, Coastal, Highlands, Metropolitan area, Outer islands",
)
CITIES = _groups(
    "City",
    "Lagos, Lima, Oslo, Osaka, Perth, Quito, Seoul, Turin, Zagreb, San Francisco, Buenos Aires, "
    "Ho Chi Minh City",
)
AGES = _groups("Age group", "0–17, 18–24, 25–34, 35–44, 45–54, 55–64, 65–74, 75 and over")
SEX = _groups("Sex", "Women, Men")
SURVEY = _groups(
    "Answer",
    "Strongly agree, Somewhat agree, Neither agree nor disagree, Somewhat disagree, "
    "Strongly disagree, Prefer not to say",
)
YEAR_PAIR = _groups("Year", "2019, 2021, 2023, 2025")
SCENARIOS = _groups("Scenario", "Low, Medium, High, Business as usual")

SUBJECTS: tuple[Subject, ...] = (
    Subject(
        "Image classification",
        (
            Measure("Top-1 accuracy", "%", 48, 92, 1, "percent", additive=False),
            Measure("Inference time", "ms", 3, 180, 1, additive=False),
            Measure("Parameters", "M", 4, 640, 0),
            Measure("Training cost", "GPU hours", 20, 4200, 0),
        ),
        (
            _groups(
                "Model",
                "ResNet-50, ViT-B/16, Swin-T, ConvNeXt-S, EfficientNet-B4, MLP-Mixer, DeiT-S, "
                "RegNetY-8GF",
            ),
            _groups("Dataset", "ImageNet, CIFAR-100, iNaturalist, Places365, Food-101, Aircraft"),
        ),
        (
            _groups("Method", "Baseline, Ours, Ours w/o aug., Distilled"),
            _groups("Split", "Train, Validation, Test"),
        ),
        (("Epoch", 0, 90), ("Training images (thousand)", 1, 1200)),
    ),
    Subject(
        "Policy optimisation",
        (
            Measure("Mean reward", "", 0.08, 0.97, 3, additive=False),
            Measure("KL divergence", "nats", 0.01, 2.4, 3, additive=False),
            Measure("Response length", "tokens", 120, 3800, 0, additive=False),
            Measure("Pass rate", "%", 4, 88, 1, "percent", additive=False),
        ),
        (
            _groups("Algorithm", "PPO, GRPO, DPO, RLOO, REINFORCE, Expert iteration"),
            _groups("Task", "Algebra, Geometry, Code repair, Retrieval, Planning, Tool use"),
        ),
        (
            _groups("Temperature", "T = 0.6, T = 0.8, T = 1.0"),
            _groups("Model size", "1.5B, 3B, 7B, 14B"),
        ),
        (("Step", 0, 500), ("Optimiser step (thousand)", 0, 24)),
    ),
    Subject(
        "Electricity generation",
        (
            Measure("Generation", "TWh", 2, 540, 1),
            Measure("Installed capacity", "GW", 0.4, 96, 1),
            Measure("Capacity factor", "%", 11, 93, 0, "percent", additive=False),
            Measure("Wholesale price", "EUR/MWh", 18, 310, 1, additive=False),
        ),
        (
            _groups(
                "Source",
                "Wind, Solar, Hydro, Nuclear, Natural gas, Coal, Biomass, Geothermal, "
                "Imports from neighbouring grids",
            ),
            COUNTRIES,
        ),
        (SCENARIOS, YEAR_PAIR),
        (("Hour of day", 0, 23), ("Day of year", 1, 365)),
    ),
    Subject(
        "Rainfall and runoff",
        (
            Measure("Rainfall", "mm", 3, 420, 1),
            Measure("River discharge", "m³/s", 12, 2600, 0),
            Measure("Soil moisture", "%", 6, 48, 1, "percent", additive=False),
            Measure("Temperature anomaly", "°C", -2.4, 3.1, 2, additive=False),
        ),
        (MONTHS, CITIES),
        (
            _groups("Station", "Upper basin, Lower basin, Delta, Reservoir"),
            _groups("Period", "1961–1990, 1991–2020"),
        ),
        (("Elevation (m)", 0, 2800), ("Day of year", 1, 365)),
    ),
    Subject(
        "Retail revenue",
        (
            Measure("Revenue", "USD million", 1.2, 86, 1, "dollars"),
            Measure("Orders", "thousand", 3, 940, 0),
            Measure("Average basket", "USD", 14, 210, 2, "dollars", additive=False),
            Measure("Return rate", "%", 1, 24, 1, "percent", additive=False),
        ),
        (
            QUARTERS,
            REGIONS,
            _groups(
                "Department",
                "Groceries, Electronics, Clothing, Home and garden, Toys, Books, Pharmacy, "
                "Sporting goods and outdoor equipment",
            ),
        ),
        (_groups("Channel", "Online, In store, Wholesale, Marketplace"), YEAR_PAIR),
        (("Week", 1, 52), ("Advertising spend (USD thousand)", 5, 900)),
    ),
    Subject(
        "Clinical trial",
        (
            Measure("Systolic pressure", "mmHg", 104, 176, 0, additive=False),
            Measure("Plasma concentration", "ng/mL", 0.4, 64, 2, additive=False),
            Measure("Adverse events", "", 1, 64, 0),
            Measure("Survival", "%", 22, 99, 1, "percent", additive=False),
        ),
        (
            _groups(
                "Treatment arm",
                "Placebo, 5 mg, 10 mg, 20 mg, 40 mg, Combination therapy, Standard of care",
            ),
            _groups("Site", "Basel, Leeds, Utrecht, Toronto, Kyoto, São Paulo, Cape Town"),
        ),
        (_groups("Group", "Treatment, Control, Open label"), SEX),
        (("Weeks since baseline", 0, 52), ("Dose (mg)", 0, 80)),
    ),
    Subject(
        "Air quality",
        (
            Measure("PM2.5", "µg/m³", 4, 145, 1, additive=False),
            Measure("Ozone", "ppb", 9, 118, 0, additive=False),
            Measure("Days above limit", "", 0, 96, 0),
            Measure("Share of stations", "%", 5, 95, 0, "percent", additive=False),
        ),
        (CITIES, WEEKDAYS),
        (_groups("Site type", "Roadside, Urban background, Rural, Industrial"), YEAR_PAIR),
        (("Hour of day", 0, 23), ("Distance from road (m)", 0, 600)),
    ),
    Subject(
        "Crop yields",
        (
            Measure("Yield", "t/ha", 0.8, 11.5, 2, additive=False),
            Measure("Harvested area", "thousand ha", 4, 860, 0),
            Measure("Fertiliser use", "kg/ha", 12, 310, 0, additive=False),
            Measure("Protein content", "%", 7, 18, 1, "percent", additive=False),
        ),
        (
            _groups("Crop", "Wheat, Maize, Rice, Barley, Soybean, Sorghum, Cassava, Sugar beet"),
            REGIONS,
        ),
        (_groups("Tillage", "No till, Reduced, Conventional"), SCENARIOS),
        (("Nitrogen applied (kg/ha)", 0, 240), ("Days after sowing", 0, 160)),
    ),
    Subject(
        "Labour market",
        (
            Measure("Unemployment rate", "%", 2, 19, 1, "percent", additive=False),
            Measure("Median wage", "EUR per hour", 9, 48, 2, "euros", additive=False),
            Measure("Vacancies", "thousand", 2, 410, 0),
            Measure("Weekly hours", "h", 22, 49, 1, additive=False),
        ),
        (
            AGES,
            _groups(
                "Sector",
                "Construction, Manufacturing, Health care, Education, Retail trade, Finance, "
                "Hospitality, Professional and technical services, Public administration",
            ),
        ),
        (SEX, YEAR_PAIR),
        (("Years of experience", 0, 40), ("Weeks since start", 0, 104)),
    ),
    Subject(
        "City transport",
        (
            Measure("Ridership", "million trips", 0.6, 74, 1),
            Measure("On-time arrivals", "%", 58, 99, 1, "percent", additive=False),
            Measure("Mean delay", "min", 0.4, 18, 1, additive=False),
            Measure("Fare revenue", "EUR million", 2, 190, 1, "euros"),
        ),
        (
            _groups("Mode", "Bus, Tram, Metro, Suburban rail, Ferry, Bike share, Car share"),
            WEEKDAYS,
            CITIES,
        ),
        (_groups("Peak", "Morning peak, Evening peak, Off-peak"), YEAR_PAIR),
        (("Hour of day", 0, 23), ("Distance (km)", 0, 42)),
    ),
    Subject(
        "Web service",
        (
            Measure("Latency (p95)", "ms", 24, 1900, 0, additive=False),
            Measure("Requests", "thousand/s", 0.3, 62, 1),
            Measure("Error rate", "%", 0.05, 7.5, 2, "percent", additive=False),
            Measure("Memory", "GiB", 0.5, 46, 1),
        ),
        (
            _groups("Service", "auth, search, checkout, catalogue, images, billing, gateway"),
            _groups("Data centre", "us-east, us-west, eu-north, eu-central, ap-south, sa-east"),
        ),
        (
            _groups("Release", "v1.8, v1.9, v2.0, v2.1"),
            _groups("Cache", "Warm cache, Cold cache"),
        ),
        (("Concurrent clients", 1, 512), ("Minutes since deploy", 0, 180)),
    ),
    Subject(
        "School survey",
        (
            Measure("Share of pupils", "%", 2, 74, 0, "percent", additive=False),
            Measure("Mean score", "points", 385, 612, 0, additive=False),
            Measure("Responses", "", 24, 1450, 0),
            Measure("Reading time", "min/day", 6, 95, 0, additive=False),
        ),
        (
            SURVEY,
            _groups("Grade", "Grade 4, Grade 5, Grade 6, Grade 7, Grade 8, Grade 9"),
            COUNTRIES,
        ),
        (_groups("School", "Public, Private, Charter"), SEX),
        (("Class size", 8, 38), ("Hours of practice", 0, 60)),
    ),
    Subject(
        "Household energy use",
        (
            Measure("Consumption", "kWh", 40, 940, 0),
            Measure("Monthly bill", "USD", 18, 320, 2, "dollars"),
            Measure("Indoor temperature", "°C", 14, 29, 1, additive=False),
            Measure("Self-sufficiency", "%", 3, 86, 0, "percent", additive=False),
        ),
        (
            MONTHS,
            _groups(
                "Appliance",
                "Heat pump, Refrigerator, Lighting, Oven, Washing machine, Electric vehicle, "
                "Water heater, Home entertainment and computing",
            ),
        ),
        (_groups("House", "Detached, Terraced, Flat"), SCENARIOS),
        (("Outdoor temperature (°C)", -12, 34), ("Hour of day", 0, 23)),
    ),
    Subject(
        "Marine ecology",
        (
            Measure("Abundance", "individuals", 3, 2100, 0),
            Measure("Biomass", "t/km²", 0.2, 38, 2),
            Measure("Coral cover", "%", 3, 68, 1, "percent", additive=False),
            Measure("Salinity", "PSU", 28.5, 37.5, 2, additive=False),
        ),
        (
            _groups(
                "Species",
                "Herring, Cod, Mackerel, Sardine, Sea bass, Squid, Blue whiting, "
                "Atlantic horse mackerel",
            ),
            _groups("Reef", "Outer shelf, Lagoon, Fringing reef, Patch reef, Channel, Atoll rim"),
        ),
        (
            _groups("Season", "Spring, Summer, Autumn, Winter"),
            _groups("Zone", "Protected, Partly protected, Fished"),
        ),
        (("Depth (m)", 0, 240), ("Distance from shore (km)", 0, 75)),
    ),
    Subject(
        "Materials testing",
        (
            Measure("Tensile strength", "MPa", 38, 1180, 0, additive=False),
            Measure("Hardness", "HV", 55, 720, 0, additive=False),
            Measure("Fracture toughness", "MPa·m½", 1.2, 64, 1, additive=False),
            Measure("Porosity", "%", 0.2, 21, 2, "percent", additive=False),
        ),
        (
            _groups(
                "Alloy",
                "AA6061, AA7075, Ti-6Al-4V, 316L steel, Inconel 718, AZ31, Brass C360",
            ),
            _groups("Process", "Cast, Forged, Rolled, Sintered, Printed, Printed and annealed"),
        ),
        (
            _groups("Heat treatment", "As built, Annealed, Quenched"),
            _groups("Direction", "Longitudinal, Transverse"),
        ),
        (("Strain (%)", 0, 22), ("Temperature (°C)", 20, 900)),
    ),
    Subject(
        "Housing market",
        (
            Measure("Median price", "USD thousand", 92, 1350, 0, "dollars", additive=False),
            Measure("New dwellings", "", 45, 9600, 0),
            Measure("Price change", "%", -9, 21, 1, "percent", additive=False),
            Measure("Monthly rent", "EUR", 380, 2900, 0, "euros", additive=False),
        ),
        (
            CITIES,
            REGIONS,
            _groups("Dwelling", "Studio, One bedroom, Two bedrooms, Row house, Detached house"),
        ),
        (_groups("Tenure", "Owned, Private rent, Social rent"), YEAR_PAIR),
        (("Floor area (m²)", 18, 240), ("Distance to centre (km)", 0, 38)),
    ),
    Subject(
        "Gene expression",
        (
            Measure("Expression", "log₂ TPM", 0.1, 12.5, 2, additive=False),
            Measure("Fold change", "", -3.6, 4.2, 2, additive=False),
            Measure("Read count", "thousand", 2, 880, 0),
            Measure("Methylation", "%", 2, 97, 0, "percent", additive=False),
        ),
        (
            _groups("Gene", "BRCA1, TP53, MYC, EGFR, KRAS, PTEN, VEGFA, IL6, CDKN2A"),
            _groups("Tissue", "Liver, Lung, Kidney, Heart, Brain cortex, Spleen, Skeletal muscle"),
        ),
        (
            _groups("Genotype", "Wild type, Heterozygous, Knock-out"),
            _groups("Treatment", "Vehicle, Inhibitor"),
        ),
        (("Hours after induction", 0, 48), ("Concentration (µM)", 0, 50)),
    ),
    Subject(
        "Public finance",
        (
            Measure("Spending", "EUR billion", 0.6, 240, 1, "euros"),
            Measure("Debt to GDP", "%", 14, 168, 0, "percent", additive=False),
            Measure("Budget balance", "% of GDP", -8.5, 3.4, 1, additive=False),
            Measure("Tax revenue", "USD billion", 1, 620, 0, "dollars"),
        ),
        (
            _groups(
                "Function",
                "Health, Education, Defence, Pensions, Transport, Housing, Environment, "
                "Interest on public debt, Recreation and culture",
            ),
            COUNTRIES,
        ),
        (_groups("Level", "Central, Regional, Local"), YEAR_PAIR),
        (("GDP per head (USD thousand)", 2, 92), ("Years after reform", 0, 25)),
    ),
    Subject(
        "Sports season",
        (
            Measure("Points", "", 18, 104, 0),
            Measure("Attendance", "thousand", 3, 81, 1),
            Measure("Win rate", "%", 18, 82, 0, "percent", additive=False),
            Measure("Distance covered", "km", 88, 124, 1, additive=False),
        ),
        (
            _groups(
                "Team",
                "Falcons, Rovers, United, Athletic, Wanderers, Tigers, Mariners, Thunder, "
                "Dynamo, Rangers",
            ),
            _groups("Position", "Goalkeeper, Defender, Midfielder, Winger, Striker"),
        ),
        (_groups("Venue", "Home, Away"), _groups("Half", "First half, Second half, Extra time")),
        (("Match day", 1, 38), ("Age of player", 17, 39)),
    ),
    Subject(
        "Astronomy survey",
        (
            Measure("Apparent magnitude", "", 6.2, 21.8, 2, additive=False),
            Measure("Objects detected", "thousand", 1, 720, 0),
            Measure("Surface temperature", "K", 2800, 11800, 0, additive=False),
            Measure("Completeness", "%", 21, 99, 1, "percent", additive=False),
        ),
        (
            _groups("Spectral class", "O, B, A, F, G, K, M"),
            _groups("Object", "Star, Galaxy, Quasar, Supernova, Asteroid, Globular cluster"),
        ),
        (_groups("Band", "u band, g band, r band, i band"), _groups("Survey", "Deep, Wide")),
        (("Redshift × 100", 0, 240), ("Exposure time (s)", 5, 1800)),
    ),
    Subject(
        "Streaming habits",
        (
            Measure("Watch time", "million h", 0.8, 164, 1),
            Measure("Subscribers", "million", 0.5, 92, 1),
            Measure("Churn", "%", 1, 17, 1, "percent", additive=False),
            Measure("Monthly fee", "USD", 4, 24, 2, "dollars", additive=False),
        ),
        (
            _groups(
                "Genre",
                "Drama, Comedy, Documentary, News, Sport, Animation, Thriller, "
                "Science fiction and fantasy",
            ),
            AGES,
        ),
        (_groups("Device", "Phone, Tablet, TV, Laptop"), _groups("Plan", "Basic, Family, Premium")),
        (("Days since release", 0, 60), ("Episode", 1, 24)),
    ),
    Subject(
        "Coffee trade",
        (
            Measure("Exports", "thousand bags", 12, 3900, 0),
            Measure("Farm-gate price", "USD/kg", 1.1, 7.8, 2, "dollars", additive=False),
            Measure("Cupping score", "", 74, 92, 1, additive=False),
            Measure("Certified share", "%", 4, 71, 0, "percent", additive=False),
        ),
        (
            _groups("Origin", "Brazil, Vietnam, Colombia, Ethiopia, Honduras, Uganda, Peru, Laos"),
            _groups("Processing", "Washed, Natural, Honey, Wet hulled, Anaerobic"),
        ),
        (_groups("Variety", "Arabica, Robusta, Liberica"), YEAR_PAIR),
        (("Altitude (m)", 400, 2200), ("Storage time (days)", 0, 360)),
    ),
)
